"""README.md: its tables are those of the committed results."""

from benchmarks.readme import README, filled


def test_the_tables_are_up_to_date() -> None:
    text = README.read_text()
    assert filled(text) == text
    assert "| [student-xs]" in text
