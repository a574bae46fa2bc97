"""Cards of released models say what the last training learned from, and which rooms the scores are from."""

import msgspec
import pytest

from benchmarks.readme import _model_row
from benchmarks.release import training_command
from benchmarks.release_card import card
from edgeseld.core.catalogue import LastRun, ModelEntry, ModelResults, list_models
from edgeseld.core.locate import MODEL_FILE, find_model
from edgeseld.core.recipe import DistillSpec, ModelFile
from edgeseld.core.structs import read_toml
from edgeseld.data.layout import DatasetSpec, Provenance
from edgeseld.train.origin import Origin

DATA = DatasetSpec(
    scenes=60,
    scene_s=60,
    provenance=Provenance(
        engine=1,
        manifest_sha256=None,
        heldout_sha256=None,
        clip_groups={"bell": ("a", "b"), "door": ("c",)},
        left_out_groups={},
        left_out_reason="none",
        builtin_share={},
        rooms=("simulated-1", "measured-1", "measured-2"),
    ),
)


def entry_of(name: str) -> tuple[ModelEntry, ModelResults]:
    entry = next(entry for entry in list_models() if entry.id == name)
    assert entry.results is not None
    return entry, entry.results


def card_of(distill: DistillSpec, teachers: tuple[str, ...], started_from: str | None = None, runs: int = 1) -> str:
    spec = msgspec.structs.replace(read_toml(find_model("student-s") / MODEL_FILE, ModelFile), distill=distill)
    last = LastRun(
        steps=10, best_step=5, validation={"F": 0.5, "SELD": 0.4}, teachers=teachers, started_from=started_from
    )
    return card(spec, msgspec.structs.replace(entry_of("student-s")[1], last_run=last, runs=runs), DATA)


@pytest.mark.parametrize(
    ("distill", "teachers", "said"),
    [
        (
            DistillSpec(),
            ("a 12", "b 34"),
            "it learned from labels and from what a and b, as released then, say on average",
        ),
        (DistillSpec(teacher_turns=4), ("a 12",), "says, each scene heard in 4 symmetries of the channels."),
        (DistillSpec(label_weight=0.0), ("a 12",), "it learned from what a, as released then, says alone."),
    ],
)
def test_teachers_of_the_last_run_are_named(distill: DistillSpec, teachers: tuple[str, ...], said: str) -> None:
    assert said in card_of(distill, teachers)


def test_the_start_of_the_first_run_is_named() -> None:
    assert "in one run." in card_of(DistillSpec(), ())
    assert "in one run, which began with those layers of a that fit." in card_of(DistillSpec(), (), "a 12")
    assert "in 2 runs, each from the weights of the one before." in card_of(DistillSpec(), (), "a 12", runs=2)


def test_the_command_of_the_last_run_has_its_teachers_and_its_start() -> None:
    spec = read_toml(find_model("student-s") / MODEL_FILE, ModelFile)
    scenes = "--data DATA/train --validation DATA/validation --output RUN"
    assert training_command(spec, Origin()) == f"edgeseld train models/student-s/model.toml {scenes}"
    assert training_command(spec, Origin(started_from="a 12", teachers=("b 34", "c 56"))) == (
        f"edgeseld distill models/student-s/model.toml --teacher b --teacher c --init-from a {scenes}"
    )


def test_without_teachers_nothing_is_said_of_them() -> None:
    text = card_of(DistillSpec(), ())
    assert "learned from" not in text
    assert "from 3 groups" in text
    assert "in 1 simulated rooms and 2 measured rooms" in text


def test_an_array_without_measured_rooms_has_no_such_row_and_empty_cells() -> None:
    entry, results = entry_of("student-s")
    deaf = msgspec.structs.replace(results, heldout={"simulated": results.heldout["simulated"]})
    spec = read_toml(find_model("student-s") / MODEL_FILE, ModelFile)
    assert "no measured room is known for this array" in card(spec, deaf, DATA)
    assert "measured rooms are recorded responses" in card(spec, results, DATA)
    cells = _model_row(entry, deaf).split("|")
    assert len(cells) == len(_model_row(entry, results).split("|"))
    assert [cell.strip() for cell in cells[7:9]] == ["", ""]


def test_an_average_with_the_weights_before_is_said() -> None:
    spec = read_toml(find_model("student-s") / MODEL_FILE, ModelFile)
    averaged = msgspec.structs.replace(spec, train=msgspec.structs.replace(spec.train, start_share=0.5))
    results = entry_of("student-s")[1]
    assert "validation set, averaged with those before it (50% of the latter) (F20" in card(averaged, results, DATA)
    assert "averaged" not in card(spec, results, DATA)
