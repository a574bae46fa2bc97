"""Trainings as users meet them: broken, resumed, refused."""

from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load_file

from edgeseld.core.errors import ConfigError, DataError, TrainingError
from edgeseld.core.recipe import CutoutSpec, MixKind, MixSpec, ModelFile, TrainSpec
from edgeseld.core.spec import HeadSpec
from edgeseld.core.structs import read_json, read_toml, to_toml
from edgeseld.nn.network import SeldNetwork
from edgeseld.nn.truncate import truncated
from edgeseld.nn.weights import WEIGHTS_FILE, load_network, save_weights
from edgeseld.train.averaging import exponential_average
from edgeseld.train.feature_store import open_store
from edgeseld.train.run import RESULTS_FILE, TrainingResults
from edgeseld.train.schedule import learning_rate_factor
from edgeseld.train.supervised import Sources, start_network, train, window_settings
from edgeseld.train.task import SeldTask
from edgeseld.train.validation import ValidationScenes, hold_out
from edgeseld.train.windows import RandomWindows
from tests.conftest import ROOT
from tests.train.conftest import RECIPE, PowerCut, recipe_file, write_scenes


def test_a_run_leaves_weights_and_results(scenes: Path, tmp_path: Path) -> None:
    results = train(recipe_file(tmp_path), Sources((scenes,), scenes), tmp_path / "run")
    assert results == read_json(tmp_path / "run" / RESULTS_FILE, TrainingResults)
    assert results.steps == 8
    # Eight steps of two windows of one second.
    assert results.hours_seen == round(16 / 3600, 2)
    assert set(results.validation) == {"ER", "F", "LE", "LR", "SELD"}
    assert "frontend.mean" in load_file(tmp_path / "run" / WEIGHTS_FILE)


def test_the_last_steps_are_validated_too(scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Five steps in rounds of two: without a third look the weights of the fifth could never be kept."""
    train(recipe_file(tmp_path, steps=5, validate_every_steps=2), Sources((scenes,), scenes), tmp_path / "run")
    rows = (tmp_path / "run" / "history" / "version_0" / "metrics.csv").read_text().splitlines()
    assert [row.split(",")[1] for row in rows if "," in row] == ["step", "1", "3", "4"]
    assert "Round 3 of 3" in capsys.readouterr().err


@pytest.mark.parametrize("broken_at", [1, 5])
def test_a_broken_run_resumes_to_the_weights_of_an_unbroken_one(
    scenes: Path, tmp_path: Path, power_cut: PowerCut, broken_at: int
) -> None:
    recipe = recipe_file(tmp_path)
    train(recipe, Sources((scenes,), scenes), tmp_path / "whole")
    with power_cut(at_step=broken_at):
        train(recipe, Sources((scenes,), scenes), tmp_path / "broken")
    train(recipe, Sources((scenes,), scenes), tmp_path / "broken", resume=True)
    whole = torch.load(tmp_path / "whole" / "checkpoints" / "last.ckpt", weights_only=True)
    resumed = torch.load(tmp_path / "broken" / "checkpoints" / "last.ckpt", weights_only=True)
    assert whole["global_step"] == resumed["global_step"] == 8
    for name, tensor in whole["current_model_state"].items():
        assert torch.equal(tensor, resumed["current_model_state"][name]), name
    assert (tmp_path / "whole" / WEIGHTS_FILE).read_bytes() == (tmp_path / "broken" / WEIGHTS_FILE).read_bytes()


def test_a_loss_that_is_not_finite_names_step_and_scenes(scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"got nan at step \d.*fold3_room1_mix00\d at"):
        train(recipe_file(tmp_path, learning_rate=1e30, steps=8), Sources((scenes,), scenes), tmp_path / "run")


def test_rounds_are_counted_from_one(scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(recipe_file(tmp_path, validate_every_steps=4), Sources((scenes,), scenes), tmp_path / "run")
    shown = capsys.readouterr()
    drawn = shown.err
    assert "Round" not in shown.out
    assert "Round 2 of 2" in drawn
    assert "v_num" not in drawn


def test_a_folder_that_holds_a_run_is_not_written_over(scenes: Path, tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path, steps=2, warmup_steps=1)
    train(recipe, Sources((scenes,), scenes), tmp_path / "run")
    with pytest.raises(TrainingError, match="continue it with --resume"):
        train(recipe, Sources((scenes,), scenes), tmp_path / "run")


def test_resuming_needs_a_run_and_its_recipe(scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="leave it out"):
        train(recipe_file(tmp_path), Sources((scenes,), scenes), tmp_path / "run", resume=True)
    train(recipe_file(tmp_path, steps=2, warmup_steps=1), Sources((scenes,), scenes), tmp_path / "run")
    with pytest.raises(TrainingError, match="differs: restore it"):
        train(recipe_file(tmp_path, seed=5), Sources((scenes,), scenes), tmp_path / "run", resume=True)


def test_wrong_recipe_keys_are_named(scenes: Path, tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path)
    recipe.write_text(recipe.read_text().replace("batch_size", "batchsize"))
    with pytest.raises(ConfigError, match=r"unknown field `batchsize`.*did you mean 'batch_size'"):
        train(recipe, Sources((scenes,), scenes), tmp_path / "run")


def test_data_without_labels_is_refused(scenes: Path, tmp_path: Path) -> None:
    for path in (scenes / "metadata_dev" / "dev-train-made").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="labels"):
        train(recipe_file(tmp_path), Sources((scenes,), scenes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_windows_depend_on_seed_and_step_alone(scenes: Path) -> None:
    store = open_store(scenes, RECIPE.signal)
    one, other = (RandomWindows([store], 13, **window_settings(RECIPE)) for _ in range(2))
    one.batch(3)
    assert torch.equal(one.batch(5).features, other.batch(5).features)
    assert one.batch(5).places != one.batch(6).places
    # A second process of the same training sees other windows.
    other.rank = 1
    assert one.batch(5).places != other.batch(5).places


def test_a_young_average_is_near_the_weights() -> None:
    """One update in, 2/11 of the first weights stay; much later 0.9 of the average does. Counters are not averaged."""
    update = exponential_average(0.9)
    for count, kept in [(1, 2 / 11), (1_000, 0.9)]:
        averaged, counter = torch.tensor([1.0, -1.0]), torch.tensor([3])
        update([averaged], [torch.tensor([0.0, 1.0])], torch.tensor(count))
        assert averaged.tolist() == pytest.approx([kept, 1.0 - 2.0 * kept])
        update([counter], [torch.tensor([8])], count)
        assert counter.item() == 8


def test_schedules_rise_hold_and_fall() -> None:
    cosine = TrainSpec(steps=100, warmup_steps=10)
    assert [learning_rate_factor(step, cosine) for step in (0, 9, 10, 55, 100)] == pytest.approx([0.1, 1, 1, 0.5, 0])
    tri = TrainSpec(steps=100, warmup_steps=10, schedule="tri-stage")
    assert [learning_rate_factor(step, tri) for step in (0, 10, 69, 85, 100)] == pytest.approx(
        [0.01, 1, 1, 0.05**0.5, 0.05], rel=1e-6
    )


def test_one_scene_in_ten_is_held_out_where_no_validation_set_is_named(tmp_path: Path) -> None:
    sets = [write_scenes(tmp_path / name, 27) for name in ("one", "two")]
    stores = [open_store(root, RECIPE.signal) for root in sets]
    training, validation = hold_out(stores)
    assert [len(t.names) + len(v.names) for t, v in zip(training, validation, strict=True)] == [27, 27]
    assert not set(training[0].names) & set(validation[0].names)
    # Names decide, so that both sets hold out the same scenes, and a scene keeps its side when others come and go.
    assert training[0].names == training[1].names
    assert validation[0].names == ("fold3_room1_mix025",)
    scene = stores[0].names.index(validation[0].names[0])
    assert (validation[0].window(0, 5, 10) == stores[0].window(scene, 5, 10)).all()
    results = train(recipe_file(tmp_path, steps=2, warmup_steps=1), Sources(tuple(sets)), tmp_path / "run")
    assert set(results.validation) == {"ER", "F", "LE", "LR", "SELD"}


def test_two_scenes_are_enough_to_hold_one_out_and_one_is_not(tmp_path: Path) -> None:
    two = open_store(write_scenes(tmp_path / "two", 2), RECIPE.signal)
    training, validation = hold_out([two])
    assert len(training[0].names) == len(validation[0].names) == 1
    with pytest.raises(DataError, match="needs two, got one: name a data set with --validation"):
        hold_out([two.select([0])])


def test_balanced_windows_hold_the_class_that_was_drawn(tmp_path: Path) -> None:
    root = write_scenes(tmp_path / "scenes", 3, seconds=6)
    labels = root / "metadata_dev" / "dev-train-made"
    (labels / "fold3_room1_mix000.csv").write_text("".join(f"{frame},0,0,30,0,150\n" for frame in range(60)))
    (labels / "fold3_room1_mix001.csv").write_text("40,5,0,30,0,150\n")
    (labels / "fold3_room1_mix002.csv").write_text("")
    store = open_store(root, RECIPE.signal)
    settings = {**window_settings(RECIPE), "batch_size": 20, "balanced_share": 0.5}
    windows = RandomWindows([store], 13, **settings)  # type: ignore[arg-type]
    sounding = torch.stack([windows.batch(step).target[:, :, :, 0].amax(dim=(1, 2)) for step in range(50)])
    # One class sounds in a single frame of 180: half of the balanced windows hold it, and hardly any other.
    assert sounding[:, 10:, 5].mean() == pytest.approx(0.5, abs=0.1)
    assert sounding[:, 10:].amax(dim=2).min() == 1.0
    assert sounding[:, :10, 5].mean() < 0.2


def test_exits_are_trained_along(scenes: Path, tmp_path: Path) -> None:
    network = msgspec.structs.replace(RECIPE.network, exits=("stage-1",))
    path = tmp_path / "exits.toml"
    path.write_bytes(to_toml(msgspec.structs.replace(RECIPE, network=network)))
    train(path, Sources((scenes,), scenes), tmp_path / "run")
    spec = read_toml(tmp_path / "run" / "model.toml", ModelFile)
    network_of_run = load_network(spec, tmp_path / "run" / WEIGHTS_FILE)
    torch.manual_seed(spec.train.seed)
    fresh = SeldNetwork(spec).state_dict()
    moved = [name for name, t in network_of_run.state_dict().items() if "exits" in name and not t.equal(fresh[name])]
    assert len(moved) == len([name for name in fresh if "exits" in name])
    alone = truncated(network_of_run, "stage-1")
    assert alone(torch.zeros(1, 4, spec.signal.context_samples + 24_000))["accdoa"].shape == (1, 10, 3, 3, 13)


@pytest.mark.parametrize("kind", ["manifold-mixup", "patchmix"])
def test_mixing_trains(scenes: Path, tmp_path: Path, kind: str) -> None:
    augment = msgspec.structs.replace(
        RECIPE.train.augment,
        rotation=True,
        cutout=CutoutSpec(patches=2, hops=5, bands=4),
        mix=MixSpec(kind=kind),  # type: ignore[arg-type]
    )
    recipe = recipe_file(tmp_path, augment=augment, steps=2, warmup_steps=1)
    assert train(recipe, Sources((scenes,), scenes), tmp_path / "run").steps == 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("kind", ["none", "pointmix", "patchmix"])
def test_compiled_losses_and_gradients_are_the_same(scenes: Path, kind: MixKind) -> None:
    store, found = open_store(scenes, RECIPE.signal), []
    for compiled in (False, True):
        augment = msgspec.structs.replace(RECIPE.train.augment, mix=MixSpec(kind=kind))
        spec = msgspec.structs.replace(
            RECIPE, train=msgspec.structs.replace(RECIPE.train, compile=compiled, augment=augment)
        )
        # Dropout draws other masks in compiled code.
        task = SeldTask(start_network(spec, None), spec, ValidationScenes([store], spec, 2)).eval()
        torch.manual_seed(1)
        loss = task.batch_loss(RandomWindows([store], 13, **window_settings(spec)).batch(0))
        found.append((loss.detach(), gradient_of(loss, task)))
    torch.testing.assert_close(found[1][0], found[0][0], rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(found[1][1], found[0][1], rtol=1e-3, atol=1e-5)


def gradient_of(loss: torch.Tensor, task: SeldTask) -> torch.Tensor:
    loss.sum().backward()
    gradients = [parameter.grad for parameter in task.network.parameters()]
    return torch.cat([gradient.flatten() for gradient in gradients if gradient is not None])


def test_own_classes_take_over_everything_but_the_last_layers(tmp_path: Path) -> None:
    before = SeldNetwork(RECIPE)
    save_weights(before, tmp_path / WEIGHTS_FILE)
    own = msgspec.structs.replace(RECIPE, classes=("dog", "cat"), train=TrainSpec(steps=1, warmup_steps=0, seed=9))
    weights, kept = before.state_dict(), start_network(own, tmp_path).state_dict()
    fresh = {name for name, tensor in kept.items() if not tensor.equal(weights[name])}
    assert fresh == {"head.branch.out.weight", "head.branch.out.bias"}


def test_the_example_of_own_classes_is_student_s() -> None:
    example = read_toml(ROOT / "examples" / "own_classes.toml", ModelFile)
    student = read_toml(ROOT / "models" / "student-s" / "model.toml", ModelFile)
    assert (example.signal, example.network, example.head) == (student.signal, student.network, student.head)


def test_what_hears_no_directions_is_validated_by_its_sounds(scenes: Path) -> None:
    spec = msgspec.structs.replace(RECIPE, head=HeadSpec(format="sed"))
    store = open_store(scenes, spec.signal)
    validation = ValidationScenes([store], spec, batch_size=4)
    for number, batch in enumerate(validation):
        present = batch.target[:, :, :, 0].amax(dim=2)
        validation.add(number, {"activity": present})
    values = validation.score().values
    # Classes that never sound are left out.
    assert (values["F"], values["ER"]) == (1.0, 0.0)
