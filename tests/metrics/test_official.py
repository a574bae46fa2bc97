"""Equality with the official evaluators on their own cases: 1e-6 relative, 0.01 degrees."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeseld.metrics.faults import ScoreWarning
from edgeseld.metrics.intervals import jackknife
from edgeseld.metrics.label_files import read_label_folder
from edgeseld.metrics.rules import RULES, Average, Rules
from edgeseld.metrics.score import Score, score

OFFICIAL = Path(__file__).parent.parent / "golden" / "official"
OUR_NAMES = {"AngE": "DOAE", "RelDistE": "RDE", "DistE": "DE_m", "OnscreenAcc": "onscreen_accuracy"}
ANGLES = ("LE", "DOAE")

# The 2024 program has two further settings: frames without distance, and the segments of 2023 in its Cartesian formula.
FRAMES_WITHOUT_DISTANCE = replace(RULES["dcase2024"], distance=False, rde_threshold=math.inf)
CARTESIAN_SEGMENTS = replace(FRAMES_WITHOUT_DISTANCE, block_frames=10, unmatched_error_deg=180.0)


def results(file: str) -> dict[str, dict[str, Any]]:
    content: dict[str, dict[str, Any]] = json.loads((OFFICIAL / file).read_text())
    return content


def settings(file: str) -> list[tuple[str, str]]:
    return [(case, setting) for case, by_setting in results(file).items() for setting in by_setting]


def score_case(folder: Path, rules: Rules, average: Average, prediction: str = "pred_cart") -> Score:
    reference = read_label_folder(folder / "ref", rules, "reference")
    given = read_label_folder(folder / prediction, rules, "prediction")
    if set(reference) == set(given):
        return score(reference, given, rules, average)
    with pytest.warns(ScoreWarning, match="has no prediction"):
        return score(reference, given, rules, average)


def assert_equal(got: Score, expected: dict[str, Any], metres: float = 1.0) -> None:
    for official_name, value in expected.items():
        name = OUR_NAMES.get(official_name, official_name)
        if name in got.values:
            assert_value(name, got.values[name], value, metres)
    for official_name, values in expected.get("classwise", {}).items():
        name = OUR_NAMES.get(official_name, official_name)
        for class_id, value in enumerate(values):
            assert_value(name, float(got.classwise[name][class_id]), value, metres)


def assert_value(name: str, got: float, expected: float | None, metres: float) -> None:
    if expected is None:
        assert math.isnan(got), name
        return
    wanted = expected * metres if name == "DE_m" else expected
    # SELD holds a quarter or a third of an angle over 180 degrees.
    tolerance = 0.01 if name in ANGLES else 0.01 / 540 if name == "SELD" and wanted < 1e-4 else 1e-12
    assert got == pytest.approx(wanted, rel=1e-6, abs=tolerance), name


@pytest.mark.parametrize("name", ["dcase2022", "dcase2023"])
@pytest.mark.parametrize(("case", "setting"), settings("official_dcase2023.json"))
def test_segments(case: str, setting: str, name: str) -> None:
    _, average, threshold = setting.split("_")
    rules = replace(RULES[name], doa_threshold_deg=float(threshold[1:]))
    got = score_case(OFFICIAL / "metric_cases" / case, rules, average)  # type: ignore[arg-type]
    assert_equal(got, results("official_dcase2023.json")[case][setting])


@pytest.mark.parametrize("case", list(results("official_dcase2021_micro.json")))
def test_2021(case: str) -> None:
    got = score_case(OFFICIAL / "metric_cases" / case, RULES["dcase2021"], "micro")
    assert_equal(got, results("official_dcase2021_micro.json")[case])


@pytest.mark.parametrize(("case", "setting"), settings("official_dcase2024.json"))
def test_2024(case: str, setting: str) -> None:
    rules = RULES["dcase2024"]
    if "nodist" in setting:
        rules = FRAMES_WITHOUT_DISTANCE
    elif "segment" in setting:
        rules = CARTESIAN_SEGMENTS
    average: Average = "micro" if "micro" in setting else "macro"
    prediction = "pred_polar" if "polar" in setting else "pred_cart"
    got = score_case(OFFICIAL / "metric_cases" / case, rules, average, prediction)
    assert_equal(got, results("official_dcase2024.json")[case][setting])


@pytest.mark.parametrize(("case", "setting"), settings("official_dcase2025.json"))
def test_2025(case: str, setting: str) -> None:
    average, onscreen = setting.split("_onscreen")
    rules = replace(RULES["dcase2025"], onscreen=onscreen == "1")
    got = score_case(OFFICIAL / "stereo2025_cases" / case, rules, average, "pred")  # type: ignore[arg-type]
    assert_equal(got, results("official_dcase2025.json")[case][setting], metres=0.01)


@pytest.mark.parametrize("average", ["macro", "micro"])
@pytest.mark.parametrize("case", ["22_multi5", "24_missing_pred_file"])
@pytest.mark.parametrize(
    ("name", "file", "setting"),
    [
        ("dcase2023", "official_dcase2023.json", "segment_{}_T20"),
        ("dcase2024", "official_dcase2024.json", "frame_dist_{}_T20_R1"),
    ],
)
def test_jackknife(name: str, file: str, setting: str, case: str, average: Average) -> None:
    expected = results(file)[case][setting.format(average)]
    got = jackknife(score_case(OFFICIAL / "metric_cases" / case, RULES[name], average))
    for official_name, ends in expected["jackknife_CI95"].items():
        assert got.values[OUR_NAMES.get(official_name, official_name)] == pytest.approx(ends, rel=1e-6)
    for official_name, by_class in expected.get("jackknife_CI95_classwise", {}).items():
        wanted = np.array([[math.nan if end is None else end for end in ends] for ends in by_class])
        ours = got.classwise[OUR_NAMES.get(official_name, official_name)]
        np.testing.assert_allclose(ours, wanted, rtol=1e-6)
