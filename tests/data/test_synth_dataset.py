"""Making data sets: the same files from the same request, resumable, with clear refusals; the held-out definition."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgeseld.core.errors import ConfigError, DataError
from edgeseld.data.layout import list_scenes, read_spec
from edgeseld.data.synth.catalogue import builtin_shares
from edgeseld.data.synth.dataset import Request, make_dataset, prepare, scene_tasks
from edgeseld.data.synth.definition import SetSpec, SimulatedRooms, read_definition
from edgeseld.data.synth.manifest import read_manifest, select
from edgeseld.data.synth.workers import untracked, worker_pool
from edgeseld.signal.audio import read_audio
from tests.conftest import ROOT
from tests.data.synth_parts import write_clips, write_rooms

CLASSES = {"glass_break": 3, "alarm": 2, "interference": 1, "ambience": 1}
DEFINITION = ROOT / "benchmarks" / "heldout.toml"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Banks shared by the tests of this file."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> Request:
    """Three short scenes of own classes in measured rooms."""
    folder = tmp_path_factory.mktemp("inputs")
    sounds = write_clips(folder / "clips", CLASSES)
    rooms = write_rooms(folder / "rooms", list(range(-180, 180, 30)))
    return Request(scenes=3, scene_s=5, sounds=sounds, measured=rooms, seed=4)


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_equal_requests_make_equal_files(tmp_path: Path, cache: Path, request_: Request) -> None:
    summary = make_dataset(tmp_path / "a", request_, cache)
    make_dataset(tmp_path / "b", request_, tmp_path / "new-cache")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert summary.scenes == 3
    assert summary.hours == pytest.approx(15 / 3600)
    assert sum(summary.events) > 0
    spec = read_spec(tmp_path / "a")
    assert spec is not None
    assert spec.classes == ("glass_break", "alarm")
    assert len(list_scenes(tmp_path / "a", "foa")) == 3


@pytest.mark.slow
def test_workers_change_nothing(tmp_path: Path, cache: Path, request_: Request) -> None:
    make_dataset(tmp_path / "one", request_, cache)
    make_dataset(tmp_path / "two", request_, tmp_path / "new-cache", workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_an_interrupted_run_goes_on(tmp_path: Path, cache: Path, request_: Request) -> None:
    whole = make_dataset(tmp_path, request_, cache)
    scenes = list_scenes(tmp_path, "foa")
    expected = contents(tmp_path)
    kept = scenes[0].audio.stat().st_mtime_ns
    scenes[1].audio.unlink()
    scenes[2].labels.unlink()
    assert make_dataset(tmp_path, request_, cache) == whole
    assert contents(tmp_path) == expected
    assert scenes[0].audio.stat().st_mtime_ns == kept


def test_a_folder_made_with_other_settings_is_refused(tmp_path: Path, cache: Path, request_: Request) -> None:
    make_dataset(tmp_path / "a", request_, cache)
    with pytest.raises(DataError, match=r"made with another seed \(4, now 5\): choose another folder"):
        make_dataset(tmp_path / "a", replace(request_, seed=5), cache)
    (tmp_path / "b" / "foa_dev").mkdir(parents=True)
    with pytest.raises(DataError, match="foa_dev that was not made here"):
        make_dataset(tmp_path / "b", request_, cache)


@pytest.mark.parametrize(("channel_format", "channels"), [("stereo", 2), ("mono", 1)])
def test_other_formats(tmp_path: Path, cache: Path, request_: Request, channel_format: str, channels: int) -> None:
    make_dataset(tmp_path, replace(request_, channel_format=channel_format, audio="npy", scenes=1), cache)  # type: ignore[arg-type]
    (files,) = list_scenes(tmp_path, channel_format)  # type: ignore[arg-type]
    assert read_audio(files.audio, channel_format).shape == (channels, 5 * 24_000)  # type: ignore[arg-type]


def test_the_array_in_a_simulated_room(tmp_path: Path, cache: Path, request_: Request) -> None:
    small = SimulatedRooms(count=1, length_m=(4.0, 4.0), width_m=(4.0, 4.0), height_m=(2.5, 2.5), rt60_s=(0.15, 0.15))
    wanted = replace(request_, channel_format="mic", audio="wav", scenes=1, simulated=small, measured=None)
    make_dataset(tmp_path, wanted, cache)
    (files,) = list_scenes(tmp_path, "mic")
    assert files.audio.suffix == ".wav"
    assert read_audio(files.audio, "mic").shape == (4, 5 * 24_000)
    with pytest.raises(DataError, match="'mic_file' for mic scenes"):
        make_dataset(tmp_path / "b", replace(wanted, measured=request_.measured), cache)


def test_both_kinds_of_rooms_take_turns(tmp_path: Path, cache: Path, request_: Request) -> None:
    tiny = SimulatedRooms(count=2, length_m=(4.0, 4.0), width_m=(4.0, 4.0), height_m=(2.5, 2.5), rt60_s=(0.15, 0.15))
    both = replace(request_, scenes=8, simulated=tiny, measured_share=0.25)
    with worker_pool(1, untracked) as mapper:
        tasks = scene_tasks(prepare(tmp_path, both, cache, mapper))
    assert [task.room for task in tasks] == [1, 2, 1, 3, 2, 1, 2, 4]
    assert len({(task.room, task.mix) for task in tasks}) == 8


def test_rooms_are_needed(tmp_path: Path, request_: Request) -> None:
    with pytest.raises(ConfigError, match="scenes need rooms"):
        make_dataset(tmp_path, replace(request_, measured=None), tmp_path)
    with pytest.raises(DataError, match="check --rooms"):
        make_dataset(tmp_path, replace(request_, measured=tmp_path / "nowhere"), tmp_path)


def test_a_class_without_recordings_in_a_split_is_named(tmp_path: Path, request_: Request) -> None:
    definition = msgspec.structs.replace(
        read_definition(DEFINITION),
        heldout_groups={"alarm": ("alarm:0", "alarm:1")},
        validation_groups={},
        heldout_settings=("wet",),
    )
    with pytest.raises(DataError, match="every class needs clips, but 'alarm' has none in this split"):
        make_dataset(tmp_path, replace(request_, split="train", definition=definition), tmp_path / "cache")


def test_the_definition_keeps_its_rules() -> None:
    definition = read_definition(DEFINITION)
    with pytest.raises(ConfigError, match="has the sets simulated, measured, validation, not 'test'"):
        definition.set_named("test")
    with pytest.raises(ValueError, match="one split only"):
        msgspec.structs.replace(definition, validation_groups=definition.heldout_groups).__post_init__()
    with pytest.raises(ValueError, match="measured_share"):
        SetSpec(split="heldout", scenes=1, scene_s=5, seed=1)
    changed = msgspec.structs.replace(definition, heldout_settings=("100",))
    assert changed.sha256() != definition.sha256()
    assert msgspec.structs.replace(definition, sets={}).sha256() == definition.sha256()


def test_the_definition_holds_out_what_it_should(shared: Path) -> None:
    definition = read_definition(DEFINITION)
    manifest = read_manifest(shared / "sounds")
    groups = {split: select(manifest, split, definition).groups() for split in ("train", "validation", "heldout")}  # type: ignore[arg-type]
    everything = select(manifest, "all", None).groups()
    assert definition.headline_classes == tuple(name for name in manifest.classes if len(everything[name]) >= 4)
    for name in manifest.classes:
        parts = [set(groups[split].get(name, ())) for split in groups]
        assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
        assert groups["train"][name]
        assert len(groups["heldout"][name]) >= min(2, len(everything[name]) - 1)
    assert builtin_shares(manifest.classes, groups["heldout"], "heldout") == {}
    for recording in select(manifest, "train", definition).recordings:
        assert not recording.licence.startswith(definition.unsettled_licences)
    assert definition.settings("heldout", ("000", "050", "100", "RB")) == ("050",)
    assert definition.settings("train", ("000", "050", "100", "RB")) == ("000", "100")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["simulated", "measured", "validation"])
def test_the_fixed_sets_have_their_labels(shared: Path, tmp_path: Path, name: str) -> None:
    definition = read_definition(DEFINITION)
    chosen = definition.set_named(name)
    request = Request(
        scenes=chosen.scenes,
        sounds=shared / "sounds",
        simulated=chosen.rooms,
        measured=shared / "rooms" if chosen.measured_share else None,
        measured_share=chosen.measured_share,
        split=chosen.split,
        definition=definition,
        seed=chosen.seed,
        scene_s=chosen.scene_s,
        rotate=chosen.rotate,
        moving_share=chosen.moving_share,
    )
    summary = make_dataset(tmp_path / "set", request, tmp_path / "cache", workers=2)
    assert summary.labels_sha256 == chosen.labels_sha256
    assert min(summary.events) >= 20


@pytest.mark.slow
def test_the_sample_scene_is_what_its_command_makes(tmp_path: Path) -> None:
    request = Request(scenes=1, scene_s=8, seed=11, audio="wav", simulated=SimulatedRooms(count=4))
    make_dataset(tmp_path / "sample", request, tmp_path / "cache", workers=2)
    (made,) = list_scenes(tmp_path / "sample", "foa")
    sample = ROOT / "examples" / "sample_scene"
    assert made.labels.read_bytes() == sample.with_suffix(".csv").read_bytes()
    difference = read_audio(made.audio, "foa") - read_audio(sample.with_suffix(".wav"), "foa")
    # Other machines and library versions may round differently.
    assert np.abs(difference).max() < 1e-3
