"""`edgeseld bench` as users call it."""

from pathlib import Path

import msgspec
import pytest

from edgeseld.bench.report import BenchReport
from edgeseld.cli import main


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["bench", *arguments])
    return int(ended.value.code or 0)


def test_json_page_and_gate_in_one_go(small_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, page = tmp_path / "old.json", tmp_path / "report.html"
    assert _run(str(small_bundle), "--rounds", "5", "--json", "--html", str(page)) == 0
    printed = capsys.readouterr().out
    assert len(msgspec.json.decode(printed, type=BenchReport).timings) == 1
    assert page.exists()
    old.write_text(printed)
    assert _run(str(small_bundle), "--rounds", "5", "--compare", str(old), "--fail-above", "1000") == 0
    assert "least ms" in capsys.readouterr().err


def test_the_table_names_the_stages(small_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(str(small_bundle), "--rounds", "5") == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("frontend", "network", "decoding", "real-time factor", "ratio"))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing"], 1, "MODEL is an id"),
        (["student-xs", "--threads", "0"], 2, "numbers of threads"),
        (["student-xs", "--fail-above", "1.1"], 2, "--fail-above needs --compare"),
        (["student-xs", "--device", "toaster"], 1, "--device is host, arm, adb"),
        (["student-xs", "--compare", "absent.json"], 1, "cannot read absent.json"),
    ],
)
def test_what_is_wrong_is_said(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(*arguments) == code
    assert message in capsys.readouterr().err
