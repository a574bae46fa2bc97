"""The study of what fallback buys, and `edgeseld fallback`."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile

from edgeseld.cli import main
from edgeseld.cloud.equal_share import equal_share, most
from edgeseld.cloud.policy import FallbackPolicy, Measure
from edgeseld.cloud.strategies import Bench, FallbackReport, compare_strategies, curves, fit_thresholds
from edgeseld.cloud.study import STUDY_RULES, Study, mended, scores
from edgeseld.core.structs import read_json
from edgeseld.metrics.counts import CLASS_COLUMNS, FILE_COLUMNS, Counts
from edgeseld.runtime.model import Model
from tests.cloud.conftest import Running
from tests.small_bundle import CLASSES, loud_scene, write_small_bundle

WINDOWS = 8


def _counts(correct: list[int]) -> Counts:
    """One reference of class 0 per window, found where `correct` is 1, missed where it is 0."""
    found = np.array(correct, np.float64)
    arrays = {name: np.zeros((WINDOWS, 2)) for name in CLASS_COLUMNS} | {
        name: np.zeros(WINDOWS) for name in FILE_COLUMNS
    }
    arrays["references"][:, 0] = 1.0
    arrays["true_positives"][:, 0] = found
    arrays["misses"][:, 0] = 1.0 - found
    arrays["deletions"] = 1.0 - found
    return Counts(files=tuple(f"{number:02d}" for number in range(WINDOWS)), **arrays)


def _study(device: list[int], cloud: list[int], doubts: list[float]) -> Study:
    return Study(
        classes=CLASSES,
        window_frames=30,
        doubts={"entropy": np.array(doubts)},
        device=_counts(device),
        cloud=_counts(cloud),
        device_s=np.full(WINDOWS, 0.01),
        cloud_s=np.array([0.1] * 7 + [np.inf]),
        bytes_sent=np.array([1000.0] * 7 + [0.0]),
        troubles=("late",),
    )


# The device misses four sounds; the cloud hears all; doubt points at three of them and at one that was right.
STUDY = _study([1, 1, 1, 1, 0, 0, 0, 0], [1] * 8, [0.1, 0.2, 0.3, 0.9, 0.95, 0.8, 0.7, 0.4])


def test_scores_of_mixtures_by_hand() -> None:
    def f20(sent: list[int]) -> float:
        return scores(STUDY, np.array(sent, np.bool_), classes=[0])["F"]

    # F = 2 TP / (2 TP + FN), one reference per window.
    assert f20([0] * 8) == pytest.approx(8 / 12)
    assert f20([1] * 8) == pytest.approx(1.0)
    assert f20([0, 0, 0, 0, 1, 1, 0, 0]) == pytest.approx(12 / 14)


def test_an_oracle_sends_what_the_cloud_mends() -> None:
    np.testing.assert_array_equal(mended(STUDY), [0, 0, 0, 0, 1, 1, 1, 1])
    np.testing.assert_array_equal(most(mended(STUDY), 0.25), [0, 0, 0, 0, 1, 1, 0, 0])


def test_strategies_at_half_of_the_windows() -> None:
    thresholds = fit_thresholds({"entropy": STUDY.doubts["entropy"].tolist()}, 0.5)
    assert thresholds == {"entropy": 0.4}
    results = {r.strategy: r for r in compare_strategies(Bench(STUDY, 2.0, (0,)), 0.5, thresholds)}
    assert list(results) == ["device only", "cloud only", "random", "entropy", "oracle"]
    assert results["entropy"].F20 == pytest.approx(14 / 15)
    assert results["oracle"].F20 == pytest.approx(1.0)
    assert results["oracle"].gap_closed == pytest.approx(1.0)
    assert results["device only"].gap_closed == pytest.approx(0.0)
    assert results["device only"].F20 < results["random"].F20 < results["entropy"].F20
    # Eight windows of 3 s are 24 s; four of them are sent, 1 kB each.
    assert results["entropy"].megabytes_per_hour == pytest.approx(0.004 * 3600 / 24)
    assert results["device only"].p99_s == pytest.approx(0.01)
    # The window without an answer costs the deadline.
    assert results["cloud only"].p99_s > 1.5
    assert results["device only"].joules_per_hour < results["entropy"].joules_per_hour


def test_at_an_equal_share_the_oracle_wins_what_doubt_wins_in_part() -> None:
    rows = {row.strategy: row for row in equal_share(STUDY, 0.5, (0,))}
    assert list(rows) == ["entropy", "oracle"]
    gap = rows["entropy"].gap_closed
    assert gap is not None
    # F is 2/3 on the device and 1 in the cloud; doubt finds three of four misses: 14/15.
    assert gap.value == pytest.approx((14 / 15 - 2 / 3) / (1 / 3))
    assert gap.low <= gap.value <= gap.high
    assert rows["oracle"].above_random.value > rows["entropy"].above_random.value > 0.0


def test_where_the_cloud_hears_no_better_there_is_no_gap_to_close() -> None:
    same = _study([1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0], [0.1] * 8)
    assert [row.gap_closed for row in equal_share(same, 0.5, (0,))] == [None, None]


def test_curves_begin_with_the_device_and_end_with_the_cloud() -> None:
    for points in curves(Bench(STUDY, 2.0, (0,))).values():
        assert points[0].F20 == pytest.approx(8 / 12)
        assert points[-1].F20 == pytest.approx(1.0)


def _data(root: Path, model: Model) -> Path:
    """Two scenes with labels of what the model hears in them, in whole degrees."""
    for name, seed in (("fold4_room1_mix001", 1), ("fold4_room1_mix002", 2)):
        audio = loud_scene(3, seed)
        path = root / "foa_dev" / "dev-test-made" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, audio.T, 24_000, subtype="PCM_16")
        rows = [
            f"{round(10 * p.time_s)},{CLASSES.index(e.class_name)},{e.track},"
            f"{p.azimuth_deg:.0f},{p.elevation_deg:.0f},100"
            for e in model.predict(audio).events()
            for p in e.trajectory
        ]
        labels = root / "metadata_dev" / "dev-test-made" / f"{name}.csv"
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_text("\n".join(rows) + "\n")
    (root / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    return root


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["fallback", *arguments])
    return int(ended.value.code or 0)


def test_the_command_compares_and_writes_plot_and_policy(
    running: Running, small_model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, data = write_small_bundle(tmp_path / "bundles"), _data(tmp_path / "data", small_model)
    plot, policy = tmp_path / "plot.svg", tmp_path / "policy.json"
    options = [
        "--share",
        "0.5",
        "--mc-samples",
        "4",
        "--deadline-s",
        "60",
        "--link",
        "4g",
        "--plot",
        str(plot),
        "--save-policy",
        str(policy),
        "--json",
    ]
    assert _run(str(bundle), str(data), "--cloud", running.url, *options) == 0
    report = msgspec.json.decode(capsys.readouterr().out, type=FallbackReport)
    assert report.windows == 6
    assert report.unanswered == 0
    assert report.link == "4g"
    assert report.link_means is not None
    assert report.link_means.startswith(("netem in a network namespace", "a delaying relay, as netem is not permitted"))
    results = {result.strategy: result for result in report.results}
    assert results["device only"].F20 > 0.5
    assert results["cloud only"].megabytes_per_hour > results["entropy"].megabytes_per_hour > 0.0
    assert results["random"].share == pytest.approx(0.5)
    assert plot.read_text().startswith("<?xml")
    assert read_json(policy, FallbackPolicy).window_frames == 10


def test_without_a_server_the_command_says_what_to_do(
    small_model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = write_small_bundle(tmp_path / "bundles")
    assert _run(str(bundle), str(tmp_path), "--cloud", "http://127.0.0.1:9") == 1
    assert "is the server running" in capsys.readouterr().err


def test_rules_are_those_of_the_blocks_that_windows_are_cut_at() -> None:
    assert STUDY_RULES.block_frames == 10
    assert replace(STUDY_RULES, corrected=False).name == "dcase2023"
    measures: dict[Measure, list[float]] = {"margin": [0.5, 0.2]}
    assert fit_thresholds(measures, 1.0) == {"margin": -1.0}
