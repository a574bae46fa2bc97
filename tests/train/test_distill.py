"""Distillation as users meet it: cached and live, broken and resumed, refused."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from edgeseld.core.errors import ConfigError, TrainingError
from edgeseld.core.recipe import DistillSpec, ModelFile
from edgeseld.core.spec import HeadSpec, NetworkSpec, StageSpec, StemSpec
from edgeseld.core.structs import read_toml, to_toml
from edgeseld.nn.network import SeldNetwork
from edgeseld.nn.weights import WEIGHTS_FILE, load_network, save_weights
from edgeseld.train.batches import Place
from edgeseld.train.distillation import DistillTask, distill, stage_pairs
from edgeseld.train.feature_store import FeatureStore, open_store, without_progress
from edgeseld.train.origin import Origin, signature
from edgeseld.train.run import standardise_like
from edgeseld.train.supervised import Sources, train, window_settings
from edgeseld.train.taught_windows import TaughtWindows
from edgeseld.train.teacher_store import hear_scenes, open_taught, output_shapes, same_scenes
from edgeseld.train.teachers import Teacher, load_teacher, outputs_of
from edgeseld.train.turning import common_swaps, swap_features, swap_matrices, turn_outputs
from edgeseld.train.validation import ValidationScenes
from tests.train.conftest import RECIPE, PowerCut, write_scenes

TEACHER = msgspec.structs.replace(
    RECIPE,
    id="teacher",
    # Another frontend, finer in time, with one stage more.
    signal=msgspec.structs.replace(RECIPE.signal, n_fft=1024, window="hann", window_samples=960),
    network=NetworkSpec(
        stem=StemSpec(channels=6),
        stages=(StageSpec(channels=6, blocks=1, pool=(1, 4)), StageSpec(channels=8, blocks=1)),
        context=RECIPE.network.context,
    ),
    head=HeadSpec(hidden=8, format="sed-doa"),
    teaching_heads=(HeadSpec(hidden=8),),
)


def write_teacher(folder: Path, store: FeatureStore, spec: ModelFile = TEACHER, seed: int = 1) -> Path:
    """A network with random weights in which every parameter matters, standardised for a data set."""
    folder.mkdir()
    torch.manual_seed(seed)
    network = SeldNetwork(spec)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    standardise_like(network, [store])
    (folder / "model.toml").write_bytes(to_toml(spec))
    save_weights(network, folder / WEIGHTS_FILE)
    return folder


@pytest.fixture
def teacher(tmp_path: Path, scenes: Path) -> Path:
    """A teacher for the six scenes."""
    return write_teacher(tmp_path / "teacher", open_store(scenes, TEACHER.signal))


def student_file(folder: Path, recipe: DistillSpec, **changes: object) -> Path:
    path = folder / "student.toml"
    spec = msgspec.structs.replace(RECIPE, distill=recipe, teaching_heads=(HeadSpec(hidden=8, format="sed"),))
    path.write_bytes(to_toml(msgspec.structs.replace(spec, **changes)))
    return path


LIVE = DistillSpec(teacher="live", feature_weight=0.5, feature_warmup_steps=4)


@pytest.mark.parametrize("recipe", [DistillSpec(), LIVE], ids=["cached", "live"])
def test_a_run_leaves_weights_that_load(scenes: Path, tmp_path: Path, teacher: Path, recipe: DistillSpec) -> None:
    before = (teacher / WEIGHTS_FILE).read_bytes()
    student = student_file(tmp_path, recipe)
    results = distill(student, [teacher, teacher], Sources((scenes,), scenes), tmp_path / "run")
    assert results.steps == 8
    assert [name.split()[0] for name in results.origin.teachers] == ["teacher", "teacher"]
    # Adapters are dropped, teachers are in no checkpoint, and are what they were.
    load_network(read_toml(tmp_path / "run" / "model.toml", ModelFile), tmp_path / "run" / WEIGHTS_FILE)
    state = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert {name.split(".")[0] for name in state} == {"network"} | ({"adapters"} if recipe.feature_weight else set())
    assert (teacher / WEIGHTS_FILE).read_bytes() == before


@pytest.mark.parametrize("recipe", [DistillSpec(), LIVE], ids=["cached", "live"])
def test_a_broken_run_resumes_to_the_weights_of_an_unbroken_one(
    scenes: Path, tmp_path: Path, teacher: Path, power_cut: PowerCut, recipe: DistillSpec
) -> None:
    student, sources = student_file(tmp_path, recipe), Sources((scenes,), scenes)
    distill(student, [teacher], sources, tmp_path / "whole")
    with power_cut(at_step=5):
        distill(student, [teacher], sources, tmp_path / "broken")
    distill(student, [teacher], sources, tmp_path / "broken", resume=True)
    whole = torch.load(tmp_path / "whole" / "checkpoints" / "last.ckpt", weights_only=True)
    resumed = torch.load(tmp_path / "broken" / "checkpoints" / "last.ckpt", weights_only=True)
    for name, tensor in whole["current_model_state"].items():
        assert torch.equal(tensor, resumed["current_model_state"][name]), name
    assert (tmp_path / "whole" / WEIGHTS_FILE).read_bytes() == (tmp_path / "broken" / WEIGHTS_FILE).read_bytes()


def test_resuming_needs_the_same_teachers(scenes: Path, tmp_path: Path, teacher: Path) -> None:
    student, sources = student_file(tmp_path, DistillSpec()), Sources((scenes,), scenes)
    distill(student, [teacher], sources, tmp_path / "run")
    other = write_teacher(tmp_path / "other", open_store(scenes, TEACHER.signal), seed=2)
    with pytest.raises(TrainingError, match="needs the teachers that the run was started with, teacher "):
        distill(student, [other], sources, tmp_path / "run", resume=True)
    with pytest.raises(TrainingError, match="got none"):
        train(student, sources, tmp_path / "run", resume=True)


def test_the_run_says_what_it_started_from_and_resumes_from_nothing_else(
    scenes: Path, tmp_path: Path, teacher: Path
) -> None:
    student, sources = student_file(tmp_path, DistillSpec()), Sources((scenes,), scenes)
    other = write_teacher(tmp_path / "other", open_store(scenes, TEACHER.signal), seed=2)
    results = distill(student, [teacher], sources, tmp_path / "run", init_from=other)
    assert results.origin == Origin(started_from=signature(other), teachers=(signature(teacher),))
    # Without --init-from the student starts from the teacher.
    with pytest.raises(TrainingError, match=f"was started with, {signature(other)}; got {signature(teacher)}"):
        distill(student, [teacher], sources, tmp_path / "run", resume=True)


def make_task(
    scenes: Path, teachers: list[Teacher], recipe: DistillSpec, *, compiled: bool = False
) -> tuple[DistillTask, TaughtWindows]:
    spec = msgspec.structs.replace(
        RECIPE, distill=recipe, train=msgspec.structs.replace(RECIPE.train, compile=compiled)
    )
    store = open_store(scenes, spec.signal)
    windows = TaughtWindows([store], 13, **window_settings(spec))
    of_teachers = [same_scenes(store, open_store(scenes, teacher.spec.signal)) for teacher in teachers]
    if recipe.teacher == "live":
        windows.heard = [[of_teacher] for of_teacher in of_teachers]
    else:
        windows.taught = [[open_taught(t, s, without_progress)] for t, s in zip(teachers, of_teachers, strict=True)]
    torch.manual_seed(0)
    return DistillTask(SeldNetwork(spec), spec, ValidationScenes([store], spec, 2), teachers), windows


def test_gradients_reach_student_and_adapters_and_not_the_teacher(scenes: Path, teacher: Path) -> None:
    heard = load_teacher(teacher)
    task, windows = make_task(scenes, [heard], DistillSpec(teacher="live", label_weight=0.0, feature_weight=0.5))
    task.batch_loss(windows.batch(0)).sum().backward()
    assert task.adapters is not None
    assert all(p.grad is not None for p in task.adapters.parameters())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in task.network.stages.parameters())
    assert all(p.grad is None and not p.requires_grad for p in heard.network.parameters())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_compiled_distillation_has_the_same_losses(scenes: Path, teacher: Path) -> None:
    recipe, losses = DistillSpec(teacher="live", response_weight=1.0, feature_weight=0.5), []
    for compiled in (False, True):
        task, windows = make_task(scenes, [load_teacher(teacher)], recipe, compiled=compiled)
        torch.manual_seed(1)
        losses.append(task.eval().batch_loss(windows.batch(0)).detach())
    torch.testing.assert_close(losses[1], losses[0], rtol=1e-5, atol=1e-7)


def test_a_student_that_is_its_teacher_has_nothing_to_learn(scenes: Path, tmp_path: Path) -> None:
    store = open_store(scenes, RECIPE.signal)
    heard = load_teacher(write_teacher(tmp_path / "same", store, RECIPE))
    augment = msgspec.structs.replace(
        RECIPE.train.augment, spec_augment=msgspec.structs.replace(RECIPE.train.augment.spec_augment, time_masks=0)
    )
    task, windows = make_task(scenes, [heard], DistillSpec(teacher="live", label_weight=0.0, response_weight=1.0))
    task.spec = msgspec.structs.replace(
        task.spec,
        train=msgspec.structs.replace(
            task.spec.train,
            augment=msgspec.structs.replace(
                augment, spec_augment=msgspec.structs.replace(augment.spec_augment, frequency_masks=0)
            ),
        ),
    )
    task.network.load_state_dict(heard.network.state_dict())
    task.eval()
    assert task.batch_loss(windows.batch(0)).tolist() == pytest.approx([0.0, 0.0], abs=1e-10)


def test_cached_outputs_are_those_of_the_window_around_each_frame(scenes: Path, teacher: Path) -> None:
    heard = load_teacher(teacher)
    store = open_store(scenes, heard.spec.signal)
    taught = open_taught(heard, store, without_progress)
    # Three seconds: windows of 10 frames start at 0, 5, 10, 15 and 20.
    for frame, start in [(0, 0), (6, 0), (7, 5), (11, 5), (12, 10), (27, 20), (29, 20)]:
        features = torch.from_numpy(store.window(2, start, 10).copy()).unsqueeze(0)
        outputs = outputs_of(heard.hear(features))
        window = taught.window(2, frame, 1)
        for name, tensor in outputs.items():
            np.testing.assert_allclose(window[name][0], tensor[0, frame - start].numpy(), atol=2e-3, err_msg=name)
    assert set(taught.shapes) == {"accdoa", "activity", "vectors"}


def test_cached_outputs_are_silent_behind_the_end(scenes: Path, teacher: Path) -> None:
    taught = open_taught(load_teacher(teacher), open_store(scenes, TEACHER.signal), without_progress)
    window = taught.window(0, 25, 10)
    assert (window["activity"][:5] > 0).all()
    assert (window["activity"][5:] == 0).all()


def test_a_killed_teacher_goes_on_with_the_scenes_that_are_missing(scenes: Path, teacher: Path) -> None:
    heard, store = load_teacher(teacher), open_store(scenes, TEACHER.signal)

    def dying(items: Iterable[int], total: int, description: str) -> Iterator[int]:
        for number, item in enumerate(items):
            if number == 4:
                raise OSError("power cut")
            yield item

    with pytest.raises(OSError, match="power cut"):
        open_taught(heard, store, dying)  # type: ignore[arg-type]
    missing: list[list[int]] = []

    def watching(items: Iterable[list[int]], total: int, description: str) -> Iterator[list[int]]:
        for item in items:
            missing.append(item)
            yield item

    taught = open_taught(heard, store, watching)  # type: ignore[arg-type]
    assert missing == [[4], [5]]
    assert (taught.scenes[1] == hear_scenes(heard, store, [1], torch.device("cpu"))[0]).all()


def test_other_weights_have_other_outputs(scenes: Path, tmp_path: Path, teacher: Path) -> None:
    store = open_store(scenes, TEACHER.signal)
    other = load_teacher(write_teacher(tmp_path / "other", store, seed=2))
    one, two = (open_taught(t, store, without_progress).window(0, 0, 5) for t in (load_teacher(teacher), other))
    assert not np.allclose(one["accdoa"], two["accdoa"])
    assert output_shapes(other) == {"accdoa": (3, 3, 13), "activity": (13,), "vectors": (3, 13)}


def test_batches_hold_the_mean_of_all_teachers(scenes: Path, tmp_path: Path, teacher: Path) -> None:
    heard = load_teacher(teacher)
    other = load_teacher(write_teacher(tmp_path / "other", open_store(scenes, TEACHER.signal), seed=2))
    _, windows = make_task(scenes, [heard, other], DistillSpec())
    alone = [make_task(scenes, [one], DistillSpec())[1].batch(3).taught["activity"] for one in (heard, other)]
    torch.testing.assert_close(windows.batch(3).taught["activity"], (alone[0] + alone[1]) / 2)


def test_a_teacher_that_hears_every_turn_says_the_same_of_a_turned_field(scenes: Path, teacher: Path) -> None:
    """What a network learned of one direction more than of another is gone: it has the symmetry of the sound field."""
    store = open_store(scenes, TEACHER.signal)
    features = torch.from_numpy(np.stack([store.window(0, 0, 10), store.window(3, 7, 10)])).float()
    swaps = common_swaps(["foa"])
    drawn = torch.tensor([5, 11])
    turned = swap_features(features, TEACHER.signal, swaps, drawn)
    alone, all_round = load_teacher(teacher), load_teacher(teacher, turns=16)
    for heard, symmetric in [(alone, False), (all_round, True)]:
        wanted = turn_outputs(heard.outputs(features), swap_matrices(swaps, drawn))
        assert torch.allclose(heard.outputs(turned)["vectors"], wanted["vectors"], atol=1e-5) == symmetric
        assert torch.allclose(heard.outputs(turned)["activity"], wanted["activity"], atol=1e-6) == symmetric
    first = all_round.hear(features)
    assert torch.equal(alone.outputs(features)["accdoa"], outputs_of(first)["accdoa"])


def test_outputs_of_turns_are_kept_apart(scenes: Path, teacher: Path) -> None:
    store = open_store(scenes, TEACHER.signal)
    once, twice = (
        open_taught(load_teacher(teacher, turns), store, without_progress).window(0, 0, 5)["activity"]
        for turns in (1, 4)
    )
    assert not np.allclose(once, twice, atol=1e-3)


def test_turns_beyond_the_symmetries_of_the_channels_are_refused(teacher: Path) -> None:
    with pytest.raises(TrainingError, match=r"foa audio has 16 exact symmetries, got distill.teacher_turns = 17"):
        load_teacher(teacher, turns=17)
    with pytest.raises(ValueError, match=r"set distill.teacher = 'cached'"):
        DistillSpec(teacher="live", teacher_turns=2)


def test_a_live_teacher_hears_the_student_s_windows(scenes: Path, teacher: Path) -> None:
    heard = load_teacher(teacher)
    _, windows = make_task(scenes, [heard], DistillSpec(teacher="live"))
    places = [Place(0, 3, 7), Place(0, 1, 0)]
    store = open_store(scenes, TEACHER.signal)
    batch = windows.load(places)
    for item, place in enumerate(places):
        assert (batch.heard[0][item].numpy() == store.window(place.scene, place.frame, 10)).all()


def test_the_feature_term_grows_over_its_warm_up(scenes: Path, teacher: Path) -> None:
    task, _ = make_task(scenes, [load_teacher(teacher)], LIVE)
    assert task.grown_feature_weight == pytest.approx(0.5 / 4)


def test_stages_are_paired_from_the_deepest_up() -> None:
    assert stage_pairs(RECIPE, TEACHER) == ((1, 2),)
    assert stage_pairs(TEACHER, TEACHER) == ((1, 1), (2, 2))
    chosen = msgspec.structs.replace(TEACHER, distill=DistillSpec(stages=((2, 1),)))
    assert stage_pairs(chosen, TEACHER) == ((2, 1),)
    with pytest.raises(TrainingError, match=r"pairs the 2 stages of teacher with the 1 of tiny, got \(2, 2\)"):
        stage_pairs(msgspec.structs.replace(TEACHER, distill=DistillSpec(stages=((2, 2),))), RECIPE)


def test_the_student_starts_from_its_teacher_where_layers_agree(scenes: Path, tmp_path: Path, teacher: Path) -> None:
    from edgeseld.train.supervised import start_network

    weights = load_file(teacher / WEIGHTS_FILE)
    started = start_network(msgspec.structs.replace(RECIPE, teaching_heads=TEACHER.teaching_heads), teacher)
    own = started.state_dict()
    fresh = SeldNetwork(started.spec).state_dict()
    same = {name for name in own if name in weights and torch.equal(own[name], weights[name])}
    assert {"context.0.first.expand.weight", "context.0.attention.query.weight", "context.0.norm.bias"} <= same
    assert own["head.branch.out.weight"].shape == fresh["head.branch.out.weight"].shape
    assert "stem.body.conv.conv.weight" not in same


def test_features_need_a_live_teacher(tmp_path: Path, scenes: Path, teacher: Path) -> None:
    student = student_file(tmp_path, LIVE)
    student.write_text(student.read_text().replace('teacher = "live"', 'teacher = "cached"'))
    with pytest.raises(ConfigError, match=r"set distill\.teacher = 'live'"):
        distill(student, [teacher], Sources((scenes,), scenes), tmp_path / "run")


def test_recordings_of_other_lengths_are_refused(tmp_path: Path, scenes: Path) -> None:
    longer = write_scenes(tmp_path / "longer", 6, seconds=4)
    with pytest.raises(TrainingError, match="mix000 has 40 for the teacher, 30 for the student"):
        same_scenes(open_store(scenes, RECIPE.signal), open_store(longer, TEACHER.signal))
    fewer = write_scenes(tmp_path / "fewer", 5)
    with pytest.raises(TrainingError, match="lacks fold3_room1_mix005"):
        same_scenes(open_store(scenes, RECIPE.signal), open_store(fewer, TEACHER.signal))


def test_a_bundle_is_no_teacher(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="a model id or a training run with its weights"):
        load_teacher(tmp_path)


def test_a_loss_that_is_not_finite_names_step_and_scenes(scenes: Path, tmp_path: Path, teacher: Path) -> None:
    train_spec = msgspec.structs.replace(RECIPE.train, learning_rate=1e30)
    student = student_file(tmp_path, DistillSpec(), train=train_spec)
    with pytest.raises(TrainingError, match=r"got nan at step \d.*fold3_room1_mix00\d at"):
        distill(student, [teacher], Sources((scenes,), scenes), tmp_path / "run")
