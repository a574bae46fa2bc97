"""edgeseld data: what it fetches and says, and how it fails."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from edgeseld.cli import main
from edgeseld.data.download import fetching
from edgeseld.data.download.records import RECORDS
from tests.data.made_sets import maestro
from tests.data.record_server import RecordServer, serving, zipped_folder


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordServer]:
    """A small MAESTRO Real."""
    published = maestro(tmp_path / "published")
    names = ("development_audio", "development_annotation")
    with serving({f"{name}.zip": zipped_folder(published, name) for name in names}) as state:
        monkeypatch.setattr(fetching, "fetch_dataset", partial(fetching.fetch_dataset, base_url=state.url))
        yield state


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["data", *map(str, arguments)])
    return int(stopped.value.code or 0)


def test_a_data_set_and_what_it_holds(server: RecordServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("maestro-real", tmp_path / "set") == 0
    streams = capsys.readouterr()
    assert streams.out == f"{tmp_path / 'set'}: 1 scenes, stereo\n"
    assert "not commercial" in streams.err
    assert run("maestro-real", tmp_path / "set") == 0
    assert len(server.asked) == 3


def test_a_failed_download_says_why_in_one_line(
    server: RecordServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.status["development_audio.zip"] = 404
    assert run("maestro-real", tmp_path / "set") == 1
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.splitlines()[-1].startswith("error: http://")
    assert streams.err.splitlines()[-1].endswith("the server answered 404 Not Found")


def test_wrong_usage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("starss24", tmp_path) == 2
    assert run("starss23", tmp_path, "--part", "stereo") == 2
    assert "starss23 has foa, mic, video, got 'stereo'" in capsys.readouterr().err


def test_help_lists_every_set_with_its_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    for name, record in RECORDS.items():
        assert f"{name}: {record.title} parts {', '.join(record.parts)}; licence {record.licence}" in text
    assert "edgeseld data starss23 data/starss23 --part mic --part video" in text
