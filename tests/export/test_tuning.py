"""A short training in simulated int8: what it brings, what it leaves, and what it refuses."""

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from edgeseld.cli import main
from edgeseld.core.errors import DataError, EdgeseldError, ExportError
from edgeseld.core.recipe import ModelFile
from edgeseld.core.spec import HeadSpec
from edgeseld.core.structs import read_toml, to_toml
from edgeseld.data.synth.builtin import builtin_sound
from edgeseld.export.exporting import export_model
from edgeseld.export.recipe import ExportRecipe, read_recipe, recipe_path
from edgeseld.nn.weights import WEIGHTS_FILE, load_network, save_weights
from edgeseld.signal.ambisonics import foa_gains
from edgeseld.train.supervised import Sources, train
from tests.train.conftest import RECIPE

pytestmark = [pytest.mark.export, pytest.mark.slow]

# Class, kind of built-in sound and azimuth of the odd and the even scenes.
EVENTS = ((11, "bell", 60.0), (8, "music", -60.0))
SCENES, SCENE_S, EVENT_S = 12, 4, 2
OUTLIER = 30.0


def write_scene(root: Path, number: int) -> None:
    """Two seconds of a built-in sound over noise, in the STARSS layout."""
    class_id, kind, azimuth_deg = EVENTS[number % 2]
    generator = np.random.default_rng(number)
    onset = int(generator.integers(10 * (SCENE_S - EVENT_S)))
    audio = generator.normal(0.0, 1e-3, (4, SCENE_S * 24_000))
    sound = np.resize(builtin_sound(kind, (number,)), EVENT_S * 24_000)
    place = slice(onset * 2_400, onset * 2_400 + sound.size)
    audio[:, place] += foa_gains(azimuth_deg, 0.0)[:, np.newaxis] * 0.3 * sound / np.abs(sound).max()
    name = f"fold3_room1_mix{number:03d}"
    np.save(root / "foa_dev" / f"{name}.npy", (np.clip(audio, -1, 1) * 32_767).astype(np.int16))
    rows = [f"{frame},{class_id},0,{azimuth_deg:.0f},0,150\n" for frame in range(onset, onset + 10 * EVENT_S)]
    (root / "metadata_dev" / f"{name}.csv").write_text("".join(rows))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tuning") / "scenes"
    for folder in ("foa_dev", "metadata_dev"):
        (root / folder).mkdir(parents=True)
    for number in range(SCENES):
        write_scene(root, number)
    return root


@pytest.fixture(scope="module")
def model(scenes: Path) -> Path:
    """A trained network, one channel of which is thirty times as loud and is heard a thirtieth as much.

    In float nothing has changed; one range for all channels leaves the others an eighth of a bit each.
    """
    recipe = scenes.parent / "tiny.toml"
    schedule = msgspec.structs.replace(RECIPE.train, steps=40, batch_size=8, validate_every_steps=20, ema_decay=0.0)
    recipe.write_bytes(
        to_toml(msgspec.structs.replace(RECIPE, head=HeadSpec(format="sed-doa", hidden=8), train=schedule))
    )
    train(recipe, Sources((scenes,)), scenes.parent / "run")
    folder = scenes.parent / "model"
    folder.mkdir()
    shutil.copyfile(scenes.parent / "run" / "model.toml", folder / "model.toml")
    network = load_network(read_toml(folder / "model.toml", ModelFile), scenes.parent / "run" / WEIGHTS_FILE)
    block = network.stages[0].blocks[0]
    with torch.no_grad():
        block.first.norm.weight[0] *= OUTLIER
        block.first.norm.bias[0] *= OUTLIER
        block.second.conv.conv.weight[:, 0] /= OUTLIER
    save_weights(network, folder / WEIGHTS_FILE)
    return folder


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training as small as the network."""
    from edgeseld.export import tuning

    for name, value in (("STEPS", 80), ("ROUND_STEPS", 20), ("BATCH_SIZE", 8), ("LEARNING_RATE", 1e-3)):
        monkeypatch.setattr(tuning, name, value)


def recipe(precision: str) -> ExportRecipe:
    return msgspec.structs.replace(read_recipe(recipe_path("onnx", precision)), calibration_windows=8)


@pytest.mark.parametrize("precision", ["int8", "int8-dynamic"])
def test_hooks_round_only_while_they_are_asked_to(model: Path, scenes: Path, precision: str) -> None:
    from edgeseld.export.tuning import TuningTask

    spec = read_toml(model / "model.toml", ModelFile)
    network = load_network(spec, model / WEIGHTS_FILE)
    pcm = torch.randn(2, 4, spec.signal.context_samples + spec.signal.window_pcm_samples) * 0.1
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    expected = network(pcm)["activity"]
    task = TuningTask(network, spec, None, recipe(precision), pcm)  # type: ignore[arg-type]
    task.learn_ranges()
    rounded = task.rounded(lambda: network(pcm)["activity"])
    assert 1e-5 < float((rounded - expected).abs().max()) < 0.1
    torch.testing.assert_close(network(pcm)["activity"], expected)
    assert network.state_dict().keys() == before.keys()
    rounded.sum().backward()
    assert float(network.stages[0].blocks[0].second.conv.conv.weight.grad.abs().sum()) > 0


def test_tuning_lowers_what_int8_changes_and_repeats_itself(
    model: Path, scenes: Path, tmp_path: Path, short: None
) -> None:
    from edgeseld.export.tuning import tuned

    plain = export_model(model, recipe("int8"), tmp_path / "plain", allow_drift=True)
    with tuned(model, recipe("int8"), scenes) as (folder, tuning):
        exported = export_model(folder, recipe("int8"), tmp_path / "tuned", allow_drift=True)
        weights = load_file(folder / WEIGHTS_FILE)
        assert tuning.line() in (exported.path / "README.md").read_text()
    assert tuning.kept
    assert tuning.after.tensor_error < 0.8 * tuning.before.tensor_error
    assert exported.report.raw_mean < 0.9 * plain.report.raw_mean
    assert not folder.exists()
    with tuned(model, recipe("int8"), scenes) as (folder, again):
        assert again == tuning
        assert all(torch.equal(tensor, weights[name]) for name, tensor in load_file(folder / WEIGHTS_FILE).items())


def test_plain_weights_are_kept_where_tuning_does_not_help(
    model: Path, scenes: Path, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeseld.export import tuning

    monkeypatch.setattr(tuning, "LEARNING_RATE", 1e-12)
    with tuning.tuned(model, recipe("int8"), scenes) as (folder, found):
        assert not found.kept
        assert (folder / WEIGHTS_FILE).read_bytes() == (model / WEIGHTS_FILE).read_bytes()
        assert "the plain weights are kept" in (folder / "README.md").read_text()


def test_the_command_line_tunes_and_says_what_it_brought(
    model: Path, scenes: Path, tmp_path: Path, short: None, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", str(model), "--target", "onnx", "--precision", "int8", "--tune", str(scenes)]
    with pytest.raises(SystemExit) as stopped:
        main([*command, "--allow-drift", "--json", "--output", str(tmp_path)])
    assert stopped.value.code == 0
    shown = capsys.readouterr()
    assert "tuned for int8 on scenes" in shown.err
    answer = json.loads(shown.out)
    assert answer["tuning"]["after"]["tensor_error"] < answer["tuning"]["before"]["tensor_error"]
    assert [path.name for path in tmp_path.iterdir()] == ["tiny-onnx-int8.seld"]


def check_refused(model: Path, data: Path, precision: str, kind: type[EdgeseldError], message: str) -> None:
    from edgeseld.export.tuning import tuned

    with pytest.raises(kind, match=message), tuned(model, recipe(precision), data):
        pass


def test_what_cannot_be_tuned_is_refused(model: Path, scenes: Path, tmp_path: Path) -> None:
    check_refused(model, scenes, "fp32", ExportError, r"got fp32: choose int8 or int8-dynamic")
    bare = tmp_path / "bare"
    shutil.copytree(scenes / "foa_dev", bare / "foa_dev")
    check_refused(model, bare, "int8", DataError, r"labels lie in metadata_dev/ beside the audio")
    (tmp_path / "mic" / "metadata_dev").mkdir(parents=True)
    shutil.copytree(scenes / "foa_dev", tmp_path / "mic" / "mic_dev")
    check_refused(model, tmp_path / "mic", "int8", DataError, r"foa_dev")
    other = tmp_path / "other"
    shutil.copytree(scenes, other)
    (other / "classes.txt").write_text("bell\nknock\n")
    check_refused(
        model, other, "int8", DataError, r"tuning needs scenes with the classes of tiny, those of .*other differ"
    )


def test_a_refused_tuning_writes_nothing(
    model: Path, scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "bundles"
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(model), "--target", "onnx", "--tune", str(scenes), "--output", str(output)])
    assert stopped.value.code == 1
    assert "--tune trains a network to bear int8, got fp32" in capsys.readouterr().err
    assert not output.exists()
