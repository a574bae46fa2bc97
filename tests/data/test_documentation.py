"""docs/datasets.md: its example runs, its table of records is the one that the command uses."""

import doctest
from pathlib import Path

import pytest

from edgeseld.data.download.records import RECORDS
from tests.data.made_sets import write_text, write_wav

DOCUMENT = Path(__file__).parent.parent.parent / "docs/datasets.md"
TEXT = DOCUMENT.read_text()


def test_the_example_of_the_document(tmp_path: Path) -> None:
    events = TEXT.split("```\nonset,offset")[1].split("```")[0]
    write_text(tmp_path / "classes.txt", "cat\nkettle\n")
    write_wav(tmp_path / "audio/kitchen.wav", 4, 2.0)
    write_text(tmp_path / "audio/kitchen.csv", f"onset,offset{events}")
    result = doctest.testfile(str(DOCUMENT), module_relative=False, extraglobs={"folder": str(tmp_path)})
    assert result.attempted >= 7
    assert result.failed == 0


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_stands_in_the_table(name: str) -> None:
    record = RECORDS[name]
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{name}` |"))
    assert f"[{record.record}](https://zenodo.org/records/{record.record})" in row
    assert f"| {', '.join(f'`{part}`' for part in record.parts)} | {record.licence} |" in row
