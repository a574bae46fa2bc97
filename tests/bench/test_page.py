"""The page a person would hand to a manager."""

import re
from pathlib import Path

import pytest

from edgeseld.bench.page import write_page
from edgeseld.bench.report import COSTS, NAMES, TIMES, BenchReport
from tests.bench.conftest import made_report


def _page(report: BenchReport, folder: Path) -> str:
    write_page(report, folder / "report.html")
    return (folder / "report.html").read_text()


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    page = _page(made_report(10.0, 20.0), tmp_path)
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert page.count("<svg") == 2
    assert all(f">{name}</th>" in page.replace("&amp;", "&") for name in NAMES | TIMES | COSTS)


def test_the_answer_stands_in_a_sentence(tmp_path: Path) -> None:
    page = _page(made_report(20.0, 10.0), tmp_path)
    assert "Fastest: b, 1 thread, 10.0 ms for 5 s of audio (real-time factor 0.0020)" in page
    assert "That is 0.50 of the time of a, 1 thread." in page


def test_without_scores_there_is_no_picture_of_accuracy(tmp_path: Path) -> None:
    page = _page(made_report(10.0, scored=False), tmp_path)
    assert page.count("<svg") == 1
    assert "What accuracy costs" not in page


@pytest.mark.parametrize("times", [(5.0,), (5.0, 0.1, 400.0, 7.0, 8.0, 9.0)])
def test_any_number_of_bundles_gives_the_same_bytes_twice(times: tuple[float, ...], tmp_path: Path) -> None:
    assert _page(made_report(*times), tmp_path) == _page(made_report(*times), tmp_path)
