"""Published data sets and own folders through one interface: scenes, audio, labels, targets, and what is missing."""

import doctest
from pathlib import Path

import msgspec
import numpy as np
import pytest

import edgeseld.data.class_lists
from edgeseld.core.classes import STARSS_CLASSES
from edgeseld.core.errors import AudioFormatError, DataError
from edgeseld.core.spec import ChannelFormat
from edgeseld.data.class_lists import MAESTRO_CLASSES
from edgeseld.data.dataset import open_dataset, read_scene_audio, read_scene_labels, read_scene_targets
from edgeseld.data.layout import Part, dataset_classes, write_spec
from edgeseld.data.maestro import read_soft_labels
from edgeseld.data.plain import read_events
from edgeseld.data.targets import adpit_target
from edgeseld.data.videos import scene_videos
from edgeseld.metrics.labels import Labels
from tests.data.made_sets import EVENTS, ROWS_2022, maestro, plain, starss, stereo2025, write_text, write_wav
from tests.data.test_synth_layout import SPEC as MADE_SPEC


def rows_of(labels: Labels) -> list[tuple[float, ...]]:
    columns = [labels.frame, labels.class_id, labels.source, labels.azimuth_deg, labels.elevation_deg]
    return [tuple(row) for row in np.column_stack(columns).tolist()]


@pytest.mark.parametrize("channel_format", ["foa", "mic"])
def test_starss23(tmp_path: Path, channel_format: ChannelFormat) -> None:
    dataset = open_dataset(starss(tmp_path), channel_format)
    assert (dataset.layout, dataset.classes) == ("starss", STARSS_CLASSES)
    assert [scene.name for scene in dataset.scenes] == ["fold4_room23_mix001", "fold3_room4_mix001"]
    labels = read_scene_labels(dataset, dataset.scenes[0])
    assert rows_of(labels) == [(0, 1, 1, -50, 30), (0, 1, 2, 10, -20), (7, 8, 0, 180, -90)]
    assert labels.distance_m is not None
    assert labels.distance_m.tolist() == [1.81, 2.43, 0.9]
    assert read_scene_audio(dataset, dataset.scenes[0]).shape == (4, 24_000)


def test_starss22_has_no_distances(tmp_path: Path) -> None:
    dataset = open_dataset(starss(tmp_path, ROWS_2022), "foa")
    labels = read_scene_labels(dataset, dataset.scenes[0])
    assert len(labels) == 3
    assert labels.distance_m is None


def test_distances_reach_the_targets(tmp_path: Path) -> None:
    dataset = open_dataset(starss(tmp_path), "foa")
    (scene, *_) = dataset.scenes
    target = adpit_target(read_scene_targets(dataset, scene, read_scene_labels(dataset, scene)), 7, 1, 13)
    assert target[0, 0, :, 8] == pytest.approx([1, 0, 0, -1, 0.9], abs=1e-7)


@pytest.mark.parametrize(
    ("part", "names"), [("dev-train", ["fold3_room4_mix001"]), ("dev-test", ["fold4_room23_mix001"])]
)
def test_a_part(tmp_path: Path, part: Part, names: list[str]) -> None:
    dataset = open_dataset(starss(tmp_path), "foa", part)
    assert [scene.name for scene in dataset.scenes] == names


def test_real_starss22_labels_are_read_whole(shared: Path, tmp_path: Path) -> None:
    files = sorted((shared / "starss22_labels").glob("*/*.csv"))
    for path in files:
        key = f"{path.parent.name}/{path.stem}"
        write_text(tmp_path / f"metadata_dev/{key}.csv", path.read_text())
        (tmp_path / f"foa_dev/{key}.wav").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"foa_dev/{key}.wav").touch()
    dataset = open_dataset(tmp_path, "foa")
    assert len(dataset.scenes) == len(files) == 59
    assert sum(len(read_scene_labels(dataset, scene)) for scene in dataset.scenes) == 96_583


def test_stereo2025_labels_know_the_screen_and_no_elevation(tmp_path: Path) -> None:
    dataset = open_dataset(stereo2025(tmp_path), "stereo")
    assert (dataset.layout, dataset.classes) == ("stereo2025", STARSS_CLASSES)
    silent, full = dataset.scenes
    labels = read_scene_labels(dataset, full)
    assert rows_of(labels) == [(0, 1, 1, -50, 0), (0, 1, 2, 10, 0), (7, 8, 0, 90, 0)]
    assert labels.onscreen is not None
    assert labels.onscreen.tolist() == [0, 1, 0]
    assert labels.distance_m is not None
    assert labels.distance_m.tolist() == [1.81, 2.43, 0.9]
    assert len(read_scene_labels(dataset, silent)) == 0
    assert read_scene_audio(dataset, full).shape == (2, 24_000)


def test_made_stereo_scenes_are_no_clips_of_2025(tmp_path: Path) -> None:
    root = starss(tmp_path, formats=("stereo",))
    assert open_dataset(root, "stereo").layout == "starss"


def test_maestro_is_soft_labels_in_label_frames(tmp_path: Path) -> None:
    dataset = open_dataset(maestro(tmp_path), "stereo")
    assert (dataset.layout, dataset.classes) == ("maestro", MAESTRO_CLASSES)
    (scene,) = dataset.scenes
    soft = read_soft_labels(scene.labels, dataset.classes)
    assert soft.shape == (30, 17)
    assert soft[:10, 8] == pytest.approx(0.226)
    assert soft[20:, 0].tolist() == [1.0] * 10
    assert np.count_nonzero(soft) == 30
    labels = read_scene_labels(dataset, scene)
    assert set(labels.class_id.tolist()) == {0, 13}
    assert len(labels) == 20


def test_maestro_targets_are_activities_without_directions(tmp_path: Path) -> None:
    dataset = open_dataset(maestro(tmp_path), "mono")
    (scene,) = dataset.scenes
    target = adpit_target(read_scene_targets(dataset, scene, read_scene_labels(dataset, scene)), 0, 30, 17)
    assert target[:, 0, 0, 8] == pytest.approx([0.226] * 10 + [0] * 20)
    assert not target[:, 1:].any()
    assert not target[:, :, 1:].any()


def test_maestro_as_mono_is_the_mean_of_both_sides(tmp_path: Path) -> None:
    root = maestro(tmp_path)
    stereo, mono = open_dataset(root, "stereo"), open_dataset(root, "mono")
    expected = read_scene_audio(stereo, stereo.scenes[0]).mean(axis=0, keepdims=True)
    audio = read_scene_audio(mono, mono.scenes[0])
    assert audio.shape == (1, 72_000)
    assert (audio == expected).all()


def test_own_recordings_with_events_or_frames(tmp_path: Path) -> None:
    dataset = open_dataset(plain(tmp_path), "foa")
    assert (dataset.layout, dataset.classes) == ("plain", ("cat", "kettle"))
    hall, kitchen = dataset.scenes
    assert rows_of(read_scene_labels(dataset, hall)) == [(3, 1, 0, -90, 45)]
    labels = read_scene_labels(dataset, kitchen)
    # The kettle touches frames 2, 3 and 4, the cat 4 to 9.
    assert rows_of(labels) == [(f, 1, 0, -30, 10) for f in (2, 3, 4)] + [(f, 0, 1, 90, 0) for f in range(4, 10)]
    assert labels.distance_m is not None
    assert labels.distance_m.tolist() == [1.5] * 3 + [0.8] * 6
    assert read_scene_audio(dataset, kitchen).shape == (4, 28_800)


def test_events_without_directions(tmp_path: Path) -> None:
    write_text(tmp_path / "a.csv", "\ufeffOnset, Offset, Class\n0, 0.1, cat\n")
    labels = read_events(tmp_path / "a.csv", ("cat",))
    assert rows_of(labels) == [(0, 0, 0, 0, 0)]
    assert labels.distance_m is None


def test_own_recordings_may_have_a_dataset_json(tmp_path: Path) -> None:
    root = plain(tmp_path)
    (root / "classes.txt").unlink()
    write_spec(root, msgspec.structs.replace(MADE_SPEC, classes=("cat", "kettle", "door")))
    assert open_dataset(root, "foa").classes == ("cat", "kettle", "door")


def test_an_empty_list_of_events(tmp_path: Path) -> None:
    write_text(tmp_path / "a.csv", "onset,offset,class\n")
    assert len(read_events(tmp_path / "a.csv", ("cat",))) == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("onset,class\n0,cat\n", r"the columns onset, .*, got no 'offset'; correct"),
        ("onset,offset,class,azimut\n0,1,cat,5\n", r"got 'azimut'; correct the header"),
        ("onset,offset,class,azimuth\n0,1,cat,5\n", r"azimuth and elevation, got one of them"),
        ("onset,offset,class\n0,1,dog\n", r"line 2: a class must be one of cat, kettle, got 'dog'; add"),
        ("onset,offset,class\n0,1,cat\n2,x,cat\n", r"line 3: offset must be a number, got 'x'"),
        ("onset,offset,class\n0,nan,cat\n", r"line 2: offset must be finite, got 'nan'"),
        ("onset,offset,class\n1,1,cat\n", r"line 2: need 0 <= onset < offset, got 1 and 1"),
        ("onset,offset,class\n-1,1,cat\n", r"line 2: need 0 <= onset"),
        ("onset,offset,class\n0,1\n", r"line 2: a row has as many values as the header has names, 3"),
        ("onset,offset,class\n0,1,cat,4\n", r"line 2: a row has as many values"),
        ("onset,offset,class,azimuth,elevation\n0,1,cat,181,0\n", r"line 2: azimuth lies in .* got 181, 0, 0"),
        ("onset,offset,class,distance\n0,1,cat,-1\n", r"line 2: .* distance is not negative, got 0, 0, -1"),
    ],
)
def test_events_that_break_the_rules(tmp_path: Path, content: str, message: str) -> None:
    dataset = open_dataset(plain(tmp_path, content), "foa")
    with pytest.raises(DataError, match=message):
        read_scene_labels(dataset, dataset.scenes[1])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("3,2,0,0,0\n", r"line 1: a class must be in 0\.\.1, got 2"),
        ("-3,1,0,0,0\n", r"line 1: a frame index must be 0 or more, got -3"),
        ("3,1,0,200,0\n", r"line 1: azimuth must be in \[-180, 180\]"),
        ("3,1,0,0,0,-5\n", r"line 1: a distance must not be negative"),
        ("3,1,0\n", r"line 1: 3 columns, but label files have"),
    ],
)
def test_frames_that_break_the_rules(tmp_path: Path, row: str, message: str) -> None:
    dataset = open_dataset(plain(tmp_path), "foa")
    write_text(tmp_path / "audio/evening/hall.csv", row)
    with pytest.raises(DataError, match=message):
        read_scene_labels(dataset, dataset.scenes[0])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0.0\t1.0\tcar\n", r"line 1: onset, offset, class and value between tabs are needed, got '0\.0.t1"),
        ("0.0\t1.0\tspaceship\t0.5\n", r"line 1: a class must be one of birds_singing, .*, got 'spaceship'"),
        ("0.0\t1.0\tcar\tmuch\n", r"line 1: onset, offset and value are numbers"),
        ("1.0\t1.0\tcar\t0.5\n", r"line 1: need 0 <= onset < offset"),
        ("0.0\t1.0\tcar\t1.5\n", r"line 1: need .* a value in \[0, 1\]"),
        ("0.0\t1.0\tcar\tnan\n", r"line 1: need .* a value in \[0, 1\]"),
    ],
)
def test_soft_labels_that_break_the_rules(tmp_path: Path, line: str, message: str) -> None:
    write_text(tmp_path / "a.txt", line)
    with pytest.raises(DataError, match=message):
        read_soft_labels(tmp_path / "a.txt", MAESTRO_CLASSES)


def test_videos_belong_to_scenes_by_name(tmp_path: Path) -> None:
    dataset = open_dataset(starss(tmp_path), "foa")
    with pytest.raises(DataError, match=r"videos lie in video_dev/, .* download that part"):
        scene_videos(tmp_path, dataset.scenes)
    video = tmp_path / "video_dev/dev-train-tau/fold3_room4_mix001.mp4"
    write_text(video, "")
    assert scene_videos(tmp_path, dataset.scenes) == {"fold3_room4_mix001": video}


def test_class_lists(tmp_path: Path) -> None:
    assert dataset_classes(tmp_path) == STARSS_CLASSES
    (tmp_path / "development_annotation").mkdir()
    assert dataset_classes(tmp_path) == MAESTRO_CLASSES
    write_text(tmp_path / "classes.txt", "\ufeffTür \n\nKatze\n")
    assert dataset_classes(tmp_path) == ("Tür", "Katze")
    assert doctest.testmod(edgeseld.data.class_lists).failed == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\n", "got none; write the first class"), (b"a\nb\na\n", "got 'a' twice"), (b"T\xfcr\n", "must be UTF-8")],
)
def test_class_lists_that_break_the_rules(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "classes.txt").write_bytes(content)
    with pytest.raises(DataError, match=message):
        dataset_classes(tmp_path)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is none: check the path"):
        open_dataset(tmp_path / "nowhere", "foa")
    with pytest.raises(DataError, match=r"a data set holds foa_dev/.* holds none of them; docs/datasets\.md"):
        open_dataset(tmp_path, "foa")


def test_what_own_recordings_miss(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    with pytest.raises(DataError, match=r"need a class list, .* write classes\.txt"):
        open_dataset(tmp_path, "foa")
    write_text(tmp_path / "classes.txt", "cat\n")
    with pytest.raises(DataError, match="holds no recording"):
        open_dataset(tmp_path, "foa")
    write_wav(tmp_path / "audio/a.wav", 4)
    with pytest.raises(DataError, match=r"a has no labels: write a CSV of the same name beside"):
        open_dataset(tmp_path, "foa")
    write_text(tmp_path / "audio/a.csv", EVENTS)
    write_text(tmp_path / "audio/b.csv", EVENTS)
    with pytest.raises(DataError, match="b has no audio"):
        open_dataset(tmp_path, "foa")
    write_wav(tmp_path / "audio/b.wav", 4)
    write_wav(tmp_path / "audio/b.flac", 4)
    with pytest.raises(DataError, match="a scene has one recording, got"):
        open_dataset(tmp_path, "foa")
    (tmp_path / "audio/b.flac").rename(tmp_path / "audio/more.flac")
    write_wav(tmp_path / "audio/below/a.wav", 4)
    write_text(tmp_path / "audio/below/a.csv", EVENTS)
    write_text(tmp_path / "audio/more.csv", EVENTS)
    with pytest.raises(DataError, match="scenes need different names"):
        open_dataset(tmp_path, "foa")


def test_what_maestro_misses(tmp_path: Path) -> None:
    root = maestro(tmp_path)
    with pytest.raises(DataError, match="stereo, and serves as mono, got foa"):
        open_dataset(root, "foa")
    with pytest.raises(DataError, match="has no parts, got dev-test"):
        open_dataset(root, "stereo", "dev-test")
    next(root.glob("development_annotation/*/*.txt")).unlink()
    with pytest.raises(DataError, match="cafe_restaurant/cafe_restaurant_00 has no labels: add its text file"):
        open_dataset(root, "stereo")
    next(root.glob("development_annotation/*")).rmdir()
    (root / "development_annotation").rmdir()
    with pytest.raises(DataError, match="lacks development_annotation"):
        open_dataset(root, "stereo")


def test_audio_of_another_format_is_refused_by_its_file(tmp_path: Path) -> None:
    dataset = open_dataset(plain(tmp_path), "stereo")
    with pytest.raises(AudioFormatError, match=r"hall\.wav: format stereo needs 2 channels, got 4"):
        read_scene_audio(dataset, dataset.scenes[0])
