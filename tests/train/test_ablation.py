"""The ablation from data to table and pictures, on a minute of sound."""

from pathlib import Path

import msgspec
import pytest
import torch

from benchmarks import ablation
from benchmarks.ablation_arms import ARMS, BASELINE, TIERS, Tier, arm_recipe, run_arm, with_seeds, without_start_share
from benchmarks.ablation_systems import open_heldout
from edgeseld.cli.terminal import progress
from edgeseld.core.errors import ConfigError
from edgeseld.core.locate import MODEL_FILE
from edgeseld.core.recipe import ModelFile
from edgeseld.core.spec import TrackingSpec
from edgeseld.core.structs import read_json, read_toml, to_toml
from edgeseld.nn.weights import WEIGHTS_FILE, load_network
from edgeseld.train.supervised import Sources
from tests.train.conftest import RECIPE, write_scenes


def test_each_row_adds_what_its_title_says() -> None:
    recipes = {arm.name: arm_recipe(RECIPE, arm, seed=3, steps=None) for arm in ARMS}
    assert {recipe.train.steps for recipe in recipes.values()} == {RECIPE.train.steps}
    assert {recipe.train.seed for recipe in recipes.values()} == {3}
    assert [recipe.distill.response_weight for recipe in recipes.values()] == [0, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert [recipe.distill.feature_weight for recipe in recipes.values()] == [0, 0, 0.5, 0.5, 0.5, 0.5]
    assert [recipe.network.exits for recipe in recipes.values()] == [(), (), (), *[("stage-1",)] * 3]
    assert [recipe.train.augment.mix.kind for recipe in recipes.values()] == ["none"] * 4 + ["pointmix", "patchmix"]


def test_more_seeds_are_asked_of_every_arm_and_never_fewer_than_the_tier_has() -> None:
    assert (TIERS["cpu"].seeds, TIERS["cpu"].best_seeds) == ((0,), (0, 1, 2))
    assert with_seeds(TIERS["cpu"], 1) == TIERS["cpu"]
    more = with_seeds(TIERS["cpu"], 4)
    assert (more.seeds, more.best_seeds, more.teacher) == ((0, 1, 2, 3), (0, 1, 2, 3), "teacher-m")


def test_heldout_sets_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="different names"):
        open_heldout([tmp_path / "a" / "heldout", tmp_path / "b" / "heldout"], None, tmp_path, tmp_path)


def learned(run: Path) -> dict[str, torch.Tensor]:
    weights = load_network(read_toml(run / MODEL_FILE, ModelFile), run / WEIGHTS_FILE)
    return dict(weights.named_parameters())


def test_from_data_to_table_and_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = write_scenes(tmp_path / "scenes", 2)
    heldout = [write_scenes(tmp_path / f"heldout-{number}", 2) for number in (1, 2)]
    for name in ("teacher", "student"):
        (tmp_path / name).mkdir()
        recipe = msgspec.structs.replace(
            RECIPE.train, steps=2, warmup_steps=0, validate_every_steps=2, start_share=0.5, learning_rate=1e-9
        )
        # Networks that have learned nothing yet are asked to speak up.
        spec = msgspec.structs.replace(RECIPE, id=name, train=recipe, tracking=TrackingSpec(threshold=0.01))
        (tmp_path / name / "model.toml").write_bytes(to_toml(spec))
    tier = Tier("cpu", str(tmp_path / "teacher"), seeds=(0,), best_seeds=(0, 1), best_arms=1, steps=2)
    student = tmp_path / "student" / "model.toml"
    sources = Sources((scenes,), write_scenes(tmp_path / "validation", 1))
    other = arm_recipe(without_start_share(read_toml(student, ModelFile)), BASELINE, seed=7, steps=2)
    start = run_arm(other, (), sources, tmp_path / "start", progress)

    def again() -> ablation.AblationReport:
        folders = tmp_path / "runs", tmp_path / "out"
        return ablation.run(tier, student, None, sources, heldout, *folders, start=start, latency=False)

    report = again()
    assert report.start is not None
    # With a rate of next to nothing every arm is still where it started, but for statistics of batches.
    for arm in ("labels-0", "response-0", "patchmix-0"):
        for name, weight in learned(start).items():
            torch.testing.assert_close(learned(tmp_path / "runs" / arm)[name], weight, atol=1e-6, rtol=0.0)
    assert set(report.rows) == {arm.name for arm in ARMS}
    assert report.rows["labels"].seeds == (0, 1)
    assert report.heldout == ("heldout-1", "heldout-2")
    assert sum(len(row.seeds) for row in report.rows.values()) == 6 + 2
    assert report.rows["labels"].differences["F"].value == 0.0
    assert report.rows["labels"].added == {}
    assert report.rows["response"].added == report.rows["response"].differences
    assert report.exits["stage-1"].cost.macs < report.rows["exits"].cost.macs
    assert report.rows["exits"].cost == report.rows["labels"].cost
    assert read_json(tmp_path / "out" / "ablation.json", ablation.AblationReport) == report
    assert len(list((tmp_path / "out").glob("ablation-*.png"))) == 4
    ablation.show(report)
    # A second time nothing is trained or heard again.
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*") if path.is_file()}
    monkeypatch.setattr(ablation, "draw", lambda *parts: None)
    again()
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*") if path.is_file()} == before
