"""The regression gate: `--compare OLD.json --fail-above 1.10`."""

from pathlib import Path

import pytest

from edgeseld.bench.comparison import compare, read_report, require_no_regression
from edgeseld.bench.report import BenchError
from edgeseld.core.errors import ConfigError
from edgeseld.core.structs import to_json
from tests.bench.conftest import made_report


def test_on_one_machine_least_times_are_compared() -> None:
    found = compare(made_report(10.0, 20.0), made_report(11.0, 30.0))
    assert found.unit == "least ms"
    assert [change.times for change in found.changes] == pytest.approx([1.1, 1.5])


def test_on_another_machine_ratios_to_the_first_bundle_are_compared() -> None:
    found = compare(made_report(10.0, 20.0), made_report(100.0, 220.0, processor="another"))
    assert found.unit == "ratio to a"
    assert [change.times for change in found.changes] == pytest.approx([1.0, 1.1])


def test_other_first_bundles_on_another_machine_cannot_be_compared() -> None:
    new = made_report(1.0, 2.0, processor="another")
    new = type(new)(machine=new.machine, versions={}, timings=new.timings[::-1])
    with pytest.raises(ConfigError, match="name the same bundle first"):
        compare(made_report(1.0, 2.0), new)


def test_nothing_in_common_is_an_error() -> None:
    old = made_report(1.0, 2.0)
    first, second = (type(old)(machine=old.machine, versions={}, timings=(timing,)) for timing in old.timings)
    with pytest.raises(ConfigError, match=r"only a \(1 threads\)"):
        compare(first, second)


def test_the_gate_opens_and_shuts() -> None:
    found = compare(made_report(10.0, 20.0), made_report(10.9, 23.0))
    require_no_regression(found, 1.2)
    with pytest.raises(BenchError, match=r"got b \(1 threads\) 1\.15"):
        require_no_regression(found, 1.1)


def test_a_report_without_timings_is_refused(tmp_path: Path) -> None:
    empty = made_report()
    (tmp_path / "old.json").write_bytes(to_json(empty))
    with pytest.raises(ConfigError, match="holds no timings"):
        read_report(tmp_path / "old.json")
