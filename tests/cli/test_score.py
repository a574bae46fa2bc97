"""edgeseld score: what it prints, where, and how it fails."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from edgeseld.cli import main

OFFICIAL = Path(__file__).parent.parent / "golden" / "official"
CASES = OFFICIAL / "metric_cases"


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["score", *map(str, arguments)])
    return int(stopped.value.code or 0)


def folders(case: str, prediction: str = "pred_cart") -> tuple[Path, Path]:
    return CASES / case / "ref", CASES / case / prediction


def report(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert run(*arguments, "--json") == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


def test_json_of_2023(capsys: pytest.CaptureFixture[str]) -> None:
    expected = json.loads((OFFICIAL / "official_dcase2023.json").read_text())["22_multi5"]["segment_macro_T20"]
    got = report(capsys, *folders("22_multi5"), "--rules", "dcase2023", "--jackknife")
    assert (got["rules"], got["average"], got["corrected"], got["files"]) == ("dcase2023", "macro", False, 5)
    for name in ("ER", "F", "LE", "LR", "SELD"):
        assert got[name] == pytest.approx(expected[name], rel=1e-6)
        assert got["classwise"][name] == pytest.approx(expected["classwise"][name], rel=1e-6)
        assert got["jackknife_CI95"][name] == pytest.approx(expected["jackknife_CI95"][name], rel=1e-6)
        assert len(got["jackknife_CI95_classwise"][name]) == 13


def test_json_of_2024_has_null_for_what_is_not_defined(capsys: pytest.CaptureFixture[str]) -> None:
    got = report(capsys, *folders("05_empty_pred", "pred_polar"), "--rules", "dcase2024", "--average", "micro")
    assert (got["F"], got["DOAE"], got["RDE"], got["SELD"]) == (0, None, None, 1)
    assert got["classwise"]["DOAE"] == [None] * 13


def test_json_of_2025(capsys: pytest.CaptureFixture[str]) -> None:
    expected = json.loads((OFFICIAL / "official_dcase2025.json").read_text())["03"]
    stereo = OFFICIAL / "stereo2025_cases" / "03"
    for flags, setting in (([], "macro_onscreen0"), (["--onscreen"], "macro_onscreen1")):
        got = report(capsys, stereo / "ref", stereo / "pred", "--rules", "dcase2025", *flags)
        assert got["F"] == pytest.approx(expected[setting]["F"], rel=1e-6)
        assert got["DOAE"] == pytest.approx(expected[setting]["AngE"], rel=1e-6)
        assert got["RDE"] == pytest.approx(expected[setting]["RelDistE"], rel=1e-6)


def test_thresholds(capsys: pytest.CaptureFixture[str]) -> None:
    expected = json.loads((OFFICIAL / "official_dcase2023.json").read_text())["21_dense_60s"]["segment_macro_T10"]
    got = report(capsys, *folders("21_dense_60s"), "--rules", "dcase2023", "--doa-threshold-deg", 10)
    assert got["F"] == pytest.approx(expected["F"], rel=1e-6)
    strict = report(capsys, *folders("21_dense_60s"), "--rules", "dcase2024", "--rde-threshold", 0.1)
    assert strict["F"] < report(capsys, *folders("21_dense_60s"), "--rules", "dcase2024")["F"]


def test_classes(capsys: pytest.CaptureFixture[str]) -> None:
    got = report(capsys, *folders("01_perfect"), "--rules", "dcase2023", "--classes", "2,3")
    assert (got["F"], got["LR"]) == pytest.approx((1, 1))


def test_a_missing_prediction_is_a_warning_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*folders("24_missing_pred_file"), "--rules", "dcase2023", "--json") == 0
    captured = capsys.readouterr()
    assert "warning: reference 'fold4_room1_mix002' has no prediction" in captured.err
    assert json.loads(captured.out)["files"] == 3


def test_corrected_it_is_an_error_of_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*folders("24_missing_pred_file"), "--rules", "dcase2023", "--corrected") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(r"error: reference 'fold4_room1_mix002' has no prediction; an empty file .*\n", captured.err)


def test_the_table_holds_all_classes_and_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*folders("22_multi5"), "--rules", "dcase2023", "--jackknife") == 0
    table = capsys.readouterr().out
    assert "dcase2023 rules, macro, official, 5 files" in table
    assert re.search(r"│ all +│ +0\.619 │ +0\.733 │ +11\.623 │ +0\.967 │ +0\.246 │", table)
    assert re.search(r"│ 95 % from +│ +0\.544 │", table)
    assert re.search(r"│ 12 +│", table)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rules", "dcase2019"], "'dcase2019' is not one of"),
        ([], "Missing option '--rules'"),
        (["--rules", "dcase2023", "--onscreen"], "dcase2023 rules know no on-screen flag"),
        (["--rules", "dcase2023", "--rde-threshold", "1"], "dcase2023 rules do not score distance"),
        (["--rules", "dcase2023", "--doa-threshold-deg", "-3"], "doa_threshold_deg must be above 0"),
        (["--rules", "dcase2023", "--classes", "a"], "class ids separated by commas are needed"),
        (["--rules", "dcase2021", "--average", "macro"], "dcase2021 rules have no macro average: take micro"),
        (["--rules", "dcase2023", "--classes", "13"], "classes to average over must be some of 0..12"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*folders("01_perfect"), *arguments) == 2
    assert message in capsys.readouterr().err


def test_a_jackknife_of_one_file_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*folders("01_perfect"), "--rules", "dcase2023", "--jackknife") == 1
    assert "needs two or more, got 1" in capsys.readouterr().err


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "none", tmp_path, "--rules", "dcase2023") == 1
    assert "a folder of CSV files is needed" in capsys.readouterr().err


def test_help_holds_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    assert "Example: edgeseld score" in capsys.readouterr().out
