"""The ablation from data to table and pictures, on a minute of sound."""

from pathlib import Path

import msgspec
import pytest

from benchmarks import ablation
from benchmarks.ablation_arms import ARMS, Tier, arm_recipe
from edgeseld.core.spec import TrackingSpec
from edgeseld.core.structs import read_json, to_toml
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


def test_from_data_to_table_and_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes, heldout = write_scenes(tmp_path / "scenes", 2), write_scenes(tmp_path / "heldout", 4)
    for name in ("teacher", "student"):
        (tmp_path / name).mkdir()
        recipe = msgspec.structs.replace(RECIPE.train, steps=2, warmup_steps=0, validate_every_steps=2, start_share=0.5)
        # Networks that have learned nothing yet are asked to speak up.
        spec = msgspec.structs.replace(RECIPE, id=name, train=recipe, tracking=TrackingSpec(threshold=0.01))
        (tmp_path / name / "model.toml").write_bytes(to_toml(spec))
    tier = Tier(str(tmp_path / "teacher"), seeds=(0,), best_seeds=(0, 1), best_arms=1)
    monkeypatch.setitem(ablation.TIERS, "cpu", tier)
    student, sources = tmp_path / "student" / "model.toml", Sources((scenes,))

    def again() -> ablation.AblationReport:
        return ablation.run(
            "cpu", student, None, sources, heldout, tmp_path / "runs", tmp_path / "out", steps=2, latency=False
        )

    report = again()
    assert set(report.rows) == {arm.name for arm in ARMS}
    assert report.rows["labels"].seeds == (0, 1)
    assert sum(len(row.seeds) for row in report.rows.values()) == 6 + 2
    assert report.rows["labels"].differences["F"].value == 0.0
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
