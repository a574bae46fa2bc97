"""The STARSS23 folder layout and dataset.json."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgeseld.core.classes import STARSS_CLASSES
from edgeseld.core.errors import ConfigError, DataError
from edgeseld.data.layout import (
    DatasetSpec,
    LabelRow,
    Provenance,
    dataset_classes,
    format_labels,
    list_scenes,
    read_spec,
    scene_paths,
    write_spec,
)

PROVENANCE = Provenance(
    engine=1,
    manifest_sha256=None,
    heldout_sha256=None,
    clip_groups={},
    left_out_groups={},
    left_out_reason="",
    builtin_share={"bell": 1.0},
    rooms=("simulated",),
)
SPEC = DatasetSpec(classes=("bell", "knock"), scenes=2, scene_s=5, audio="npy", provenance=PROVENANCE)


def write_scene(root: Path, spec: DatasetSpec, room: int, mix: int) -> None:
    files = scene_paths(spec, root, room, mix)
    for path in (files.audio, files.labels):
        path.parent.mkdir(parents=True, exist_ok=True)
    np.save(files.audio, np.zeros((4, 10), np.int16))
    files.labels.write_bytes(b"")


def test_names_follow_starss(tmp_path: Path) -> None:
    files = scene_paths(SPEC, tmp_path, 3, 12)
    assert files.audio == tmp_path / "foa_dev/dev-train-synth/fold3_room3_mix012.npy"
    assert files.labels == tmp_path / "metadata_dev/dev-train-synth/fold3_room3_mix012.csv"
    heldout = scene_paths(msgspec.structs.replace(SPEC, split="heldout", audio="flac"), tmp_path, 1, 1)
    assert heldout.audio == tmp_path / "foa_dev/dev-test-synth/fold4_room1_mix001.flac"
    assert heldout.name == "fold4_room1_mix001"


def test_labels_are_integers_in_order_of_frames() -> None:
    rows = [LabelRow(7, 1, 0, -30, 5, 210), LabelRow(3, 12, 1, 180, -9, 50)]
    assert format_labels(rows) == b"3,12,1,180,-9,50\n7,1,0,-30,5,210\n"


def test_dataset_json_comes_back_as_written(tmp_path: Path) -> None:
    write_spec(tmp_path, SPEC)
    assert read_spec(tmp_path) == SPEC
    assert dataset_classes(tmp_path) == ("bell", "knock")


def test_without_dataset_json_the_classes_are_those_of_starss(tmp_path: Path) -> None:
    assert read_spec(tmp_path) is None
    assert dataset_classes(tmp_path) == STARSS_CLASSES


def test_a_misspelt_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text('{"scenes": 1, "scene_s": 5, "provenence": {}}')
    with pytest.raises(ConfigError, match="did you mean 'provenance'"):
        read_spec(tmp_path)


def test_pairs_are_listed_by_path(tmp_path: Path) -> None:
    for mix in (2, 1):
        write_scene(tmp_path, SPEC, 1, mix)
    names = [scene.name for scene in list_scenes(tmp_path, "foa")]
    assert names == ["fold3_room1_mix001", "fold3_room1_mix002"]


def test_a_part_of_starss_can_be_chosen(tmp_path: Path) -> None:
    write_scene(tmp_path, SPEC, 1, 1)
    write_scene(tmp_path, msgspec.structs.replace(SPEC, split="heldout"), 2, 1)
    assert [scene.name for scene in list_scenes(tmp_path, "foa", "dev-test")] == ["fold4_room2_mix001"]
    assert len(list_scenes(tmp_path, "foa")) == 2


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is none: check the path"):
        list_scenes(tmp_path / "nowhere", "foa")
    with pytest.raises(DataError, match=r"no \*_dev folder"):
        list_scenes(tmp_path, "foa")
    write_scene(tmp_path, SPEC, 1, 1)
    with pytest.raises(DataError, match="it holds foa_dev: choose"):
        list_scenes(tmp_path, "mic")
    with pytest.raises(DataError, match=r"no scene .* of part dev-test"):
        list_scenes(tmp_path, "foa", "dev-test")
    (tmp_path / "metadata_dev/dev-train-synth/fold3_room1_mix001.csv").unlink()
    with pytest.raises(DataError, match="fold3_room1_mix001 has no labels: add the CSV"):
        list_scenes(tmp_path, "foa")
    (tmp_path / "metadata_dev/dev-train-synth/fold3_room1_mix001.csv").touch()
    (tmp_path / "metadata_dev/dev-train-synth/fold3_room9_mix001.csv").touch()
    with pytest.raises(DataError, match="fold3_room9_mix001 has no audio"):
        list_scenes(tmp_path, "foa")


def test_labels_must_lie_beside_the_audio(tmp_path: Path) -> None:
    (tmp_path / "foa_dev").mkdir()
    with pytest.raises(DataError, match="labels lie in metadata_dev/"):
        list_scenes(tmp_path, "foa")


def test_an_unfinished_set_is_refused(tmp_path: Path) -> None:
    write_spec(tmp_path, SPEC)
    write_scene(tmp_path, SPEC, 1, 1)
    with pytest.raises(DataError, match="1 of 2 scenes; run the same"):
        list_scenes(tmp_path, "foa")
    write_scene(tmp_path, SPEC, 1, 2)
    assert len(list_scenes(tmp_path, "foa")) == 2
