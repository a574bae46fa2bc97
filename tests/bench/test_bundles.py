"""The benchmark of all released bundles, and the table that README.md gets from it."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks import bundles
from benchmarks.bundles import HostRuns, disagreement, readme_lines, released
from edgeseld.bench.arm import ArmReport, ArmRow
from edgeseld.core.structs import to_json
from tests.bench.conftest import made_report


def test_two_runs_disagree_by_their_worst_ratio() -> None:
    # Ratios 1, 2, 3 against 1, 2.1, 2.4.
    assert disagreement(made_report(10.0, 20.0, 30.0), made_report(20.0, 42.0, 48.0)) == pytest.approx(0.2)
    assert disagreement(made_report(10.0, 20.0), made_report(30.0, 60.0)) == 0.0


def test_every_released_bundle_is_found() -> None:
    assert {"student-s-onnx-fp32.seld.zip", "student-xs-onnx-fp32.seld.zip"} <= {path.name for path in released()}


def test_a_row_of_the_readme_holds_host_and_arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = made_report(10.0)
    gone = replace(report.timings[0], name="gone")
    both = (report.timings[0], replace(report.timings[0], threads=2), gone, replace(gone, threads=2))
    runs = HostRuns(report=replace(report, timings=both), disagreement=0.031)
    row = ArmRow(
        name="a",
        verified=True,
        failures=(),
        changed_frames=0.0,
        difference_max=1e-6,
        snr_db=128.4,
        instructions=100_267_600,
        macs_per_window=1e8,
    )
    arm = ArmReport(machine=report.machine, versions={}, emulator="qemu-user 7", processor="cortex-a76", rows=(row,))
    for name, content in (("HOST", runs), ("ARM", arm)):
        (tmp_path / name).write_bytes(to_json(content))
        monkeypatch.setattr(bundles, name, tmp_path / name)
    monkeypatch.setattr(bundles, "released", lambda: [tmp_path / "a.seld.zip"])
    lines = readme_lines()
    assert lines[-1] == "| a | 2.0 MB | 10.0 ms | 10.0 ms | 1.00 (1.00 to 1.00) | 30 MB | 100 M | 128 dB |"
    assert "within 3.1%" in lines[1]
