"""docs/metrics.md: every example gives what it says."""

import doctest
from pathlib import Path

import pytest

import edgeseld.metrics.angles
import edgeseld.metrics.assignment
import edgeseld.metrics.direction_errors
import edgeseld.metrics.significance

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "metrics.md"


def test_examples_of_the_document() -> None:
    result = doctest.testfile(str(DOCUMENT), module_relative=False)
    assert result.attempted > 20
    assert result.failed == 0


@pytest.mark.parametrize("module", ["angles", "assignment", "direction_errors", "significance"])
def test_examples_of_docstrings(module: str) -> None:
    result = doctest.testmod(getattr(edgeseld.metrics, module))
    assert result.attempted > 0
    assert result.failed == 0
