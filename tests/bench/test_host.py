"""Benchmarks on the host, in processes of their own."""

import os
import signal
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from edgeseld.bench.facts import bundle_facts
from edgeseld.bench.host import bench_host
from edgeseld.bench.report import BenchError, BenchReport
from edgeseld.core.errors import BundleError
from edgeseld.core.structs import read_json, to_json
from edgeseld.export.bundle_writer import zip_bundle
from edgeseld.runtime.bundle import open_bundle
from tests.bench.conftest import quiet
from tests.small_bundle import write_small_bundle


@pytest.fixture(scope="module")
def report(small_bundle: Path) -> BenchReport:
    return bench_host([small_bundle], [1, 2], 5, quiet)


def test_every_bundle_with_every_number_of_threads(report: BenchReport) -> None:
    assert [(timing.name, timing.threads) for timing in report.timings] == [
        ("small-onnx-fp32", 1),
        ("small-onnx-fp32", 2),
    ]
    assert {timing.rounds for timing in report.timings} == {5}
    assert "onnxruntime" in report.versions


def test_stages_lie_inside_the_whole(report: BenchReport) -> None:
    for timing in report.timings:
        assert timing.window_s == 1.0
        assert timing.total.min_ms <= timing.total.median_ms <= timing.total.p90_ms <= timing.total.max_ms
        assert timing.decoding is not None
        assert 0.0 < timing.graph.min_ms + timing.decoding.min_ms <= timing.total.max_ms
        assert timing.frontend is not None
        assert timing.network is not None
        assert timing.load_ms > 0.0
        assert timing.first_ms > 0.0
        assert timing.real_time_factor == pytest.approx(timing.total.median_ms / 1e3)
        assert timing.memory_bytes > 0


def test_the_first_is_the_baseline(report: BenchReport) -> None:
    first = report.timings[0].ratio
    assert (first.value, first.low, first.high) == (1.0, 1.0, 1.0)


def test_a_report_survives_the_disk(report: BenchReport, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_bytes(to_json(report))
    assert read_json(tmp_path / "report.json", BenchReport) == report


def test_a_process_that_dies_in_mid_run_is_an_error_that_names_its_bundle(small_bundle: Path) -> None:
    def kill_a_child(items: Iterable[int], total: int, description: str) -> Iterator[int]:
        for number in items:
            if number == 2:
                children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
                workers = [int(pid) for pid in children if "bench.worker" in Path(f"/proc/{pid}/cmdline").read_text()]
                os.kill(workers[0], signal.SIGKILL)
            yield number

    with pytest.raises(BenchError, match="small-onnx-fp32 with 1 threads ended with code -9"):
        bench_host([small_bundle], [1], 5, kill_a_child)


def test_a_damaged_bundle_is_refused_before_anything_runs(tmp_path: Path) -> None:
    bundle = write_small_bundle(tmp_path)
    (bundle / "full.onnx").write_bytes(b"not a graph")
    with pytest.raises(BundleError, match="was changed"):
        bench_host([bundle], [1], 5, quiet)


def test_zips_are_unpacked_once_and_nothing_of_them_stays(
    small_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zip_bundle(small_bundle, tmp_path / "small.seld.zip")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    seen: list[int] = []

    def look(items: Iterable[int], total: int, description: str) -> Iterator[int]:
        for number in items:
            seen.append(len(list((tmp_path / "temporary").glob("edgeseld-*"))))
            yield number

    bench_host([tmp_path / "small.seld.zip"], [1, 2], 5, look)
    assert set(seen) == {1}
    assert not list((tmp_path / "temporary").glob("edgeseld-*"))


def test_cost_and_score_come_from_the_model_of_the_same_id(
    small_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGESELD_MODELS", str(tmp_path))
    assert bundle_facts(open_bundle(small_bundle)).macs_per_window is None
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "results.json").write_text(RESULTS)
    facts = bundle_facts(open_bundle(small_bundle))
    # 5 s cost 400 + 100 MAC, a window is 1 s.
    assert facts.macs_per_window == pytest.approx(100.0)
    assert facts.F20 == 0.5
    assert facts.model_bytes == (small_bundle / "full.onnx").stat().st_size


RESULTS = """{
 "cost": {"parameters": 10, "macs": 400, "frontend_macs": 100, "receptive_field_s": 1.0},
 "heldout": {"simulated": {
  "F20": 0.5, "F20_interval": [0.4, 0.6], "F20_all": 0.4, "LE": 10.0, "LR": 0.5, "ER": 0.6, "SELD": 0.4}},
 "runs": 1, "last_run": {"steps": 2, "best_step": 1, "validation": {"F": 0.5}},
 "hours_seen": 1.0, "training_s": 1.0, "training_device": "made up", "training_data": "none", "commands": []
}"""
