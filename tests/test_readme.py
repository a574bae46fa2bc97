"""README.md and docs/: their tables are those of the committed results."""

from pathlib import Path

import pytest

from benchmarks.readme import DOCUMENTS, filled


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_tables_are_up_to_date(document: Path) -> None:
    text = document.read_text()
    assert filled(text) == text
    assert "python -m benchmarks.readme -->" in text
