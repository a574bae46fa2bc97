"""The networks of models/: what they are, and what they may cost."""

import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from edgeseld.cli import models as verb
from edgeseld.core.catalogue import COSTS_FILE, KnownCost, architecture_key, list_models
from edgeseld.core.recipe import ModelFile, OverlaySpec
from edgeseld.core.structs import read_toml
from edgeseld.nn.cost import network_cost
from edgeseld.nn.network import SeldNetwork
from edgeseld.train.distillation import stage_pairs
from tests.conftest import ROOT
from tests.train.teaching import why_refused

SPECS = {path.parent.name: read_toml(path, ModelFile) for path in sorted((ROOT / "models").glob("*/model.toml"))}
KNOWN = msgspec.json.decode((ROOT / "models" / COSTS_FILE).read_bytes(), type=dict[str, KnownCost])
COSTS = {name: known.cost for name, known in KNOWN.items()}


def test_costs_are_those_of_the_networks_as_they_are() -> None:
    assert {name: known.architecture for name, known in KNOWN.items()} == {
        name: architecture_key(spec) for name, spec in SPECS.items()
    }


@pytest.mark.parametrize("name", ["student-xs", "student-sed", "seldnet-baseline"])
def test_recorded_costs_are_measured_ones(name: str) -> None:
    assert network_cost(SeldNetwork(SPECS[name])) == COSTS[name]


def test_networks_cost_what_they_may() -> None:
    assert COSTS["teacher-hda"].parameters == 11_687_724
    assert COSTS["seldnet-baseline"].parameters == 737_141
    assert COSTS["teacher-m"].parameters <= 5_000_000
    assert COSTS["student-s"].macs <= 450e6
    assert COSTS["student-s"].macs * 9 <= COSTS["teacher-hda"].macs
    assert COSTS["student-xs"].macs <= 150e6
    assert COSTS["student-s"].macs < COSTS["student-m"].macs < COSTS["teacher-m"].macs


def test_both_back_ends_of_the_sed_student_cost_the_same() -> None:
    assert COSTS["student-sed"].macs == pytest.approx(COSTS["student-sed-transformer"].macs, rel=0.01)


@pytest.mark.parametrize("student", ["student-xs", "student-s", "student-m", "student-stream", "student-mic"])
@pytest.mark.parametrize("teacher", ["teacher-hda", "teacher-gru", "teacher-m", "cnn-conformer"])
def test_every_teacher_can_teach_every_student(student: str, teacher: str) -> None:
    """By outputs that are kept, of scenes as they are: overlays ask for live teachers, and not all suit."""
    recipe = SPECS[student].train
    plain = replace(recipe, augment=replace(recipe.augment, overlay=OverlaySpec()))
    assert why_refused(replace(SPECS[student], train=plain), SPECS[teacher], live=False) is None
    assert len(stage_pairs(SPECS[student], SPECS[teacher])) == 3


@pytest.mark.parametrize("student", ["student-sed", "student-sed-transformer"])
def test_a_teacher_of_ambisonics_teaches_sounds_to_a_mono_student(student: str) -> None:
    assert why_refused(SPECS[student], SPECS["teacher-hda"], live=False) is None
    refused = why_refused(SPECS["student-xs"], SPECS[student], live=False)
    assert refused is not None
    assert "choose a teacher that hears directions" in refused


def test_the_verb_lists_models_with_and_without_weights() -> None:
    entries = {entry.id: entry for entry in list_models()}
    assert set(entries) == set(SPECS)
    assert entries["teacher-hda"].cost == COSTS["teacher-hda"]
    shown = CliRunner().invoke(verb.command).output
    assert all(name in shown for name in SPECS)
    assert "11.69 M" in shown
