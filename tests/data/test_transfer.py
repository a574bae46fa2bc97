"""Downloads of one file from a local record: whole, resumed, refused."""

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from edgeseld.core.errors import DataError
from edgeseld.data.download import transfer
from edgeseld.data.download.listing import list_record
from edgeseld.data.download.transfer import RemoteFile, download
from tests.data.record_server import RecordServer, serving

CONTENT = bytes(range(256)) * 4_000


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(transfer, "BLOCK_BYTES", 10_000)


@pytest.fixture
def server() -> Iterator[RecordServer]:
    with serving({"a file.zip": CONTENT}) as state:
        yield state


def silent(work: str, done: int, total: int) -> None:
    pass


def remote(server: RecordServer) -> RemoteFile:
    return list_record(7, server.url)["a file.zip"]


def test_a_whole_file(server: RecordServer, tmp_path: Path) -> None:
    reports: list[tuple[str, int, int]] = []
    download(remote(server), tmp_path / "below" / "a.zip", lambda *report: reports.append(report))
    assert (tmp_path / "below/a.zip").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "below").iterdir()] == ["a.zip"]
    assert reports[-1] == ("a file.zip", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in reports] == sorted(done for _, done, _ in reports)
    assert server.asked[-1] == ("a file.zip", 0)


def test_a_broken_connection_is_resumed(server: RecordServer, tmp_path: Path) -> None:
    server.cut_after, server.cuts = 300_000, 3
    download(remote(server), tmp_path / "a.zip", silent)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert [start for _, start in server.asked[1:]] == [0, 300_000, 600_000, 900_000]


def test_a_server_that_cannot_resume_starts_over(server: RecordServer, tmp_path: Path) -> None:
    server.cut_after, server.cuts, server.ranges = 300_000, 1, False
    download(remote(server), tmp_path / "a.zip", silent)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert len(server.asked) == 3


@pytest.mark.parametrize("ranges", [True, False])
def test_a_server_that_keeps_breaking_off_is_given_up(server: RecordServer, tmp_path: Path, ranges: bool) -> None:
    server.cut_after, server.cuts, server.ranges = 0 if ranges else 1_000, 99, ranges
    with pytest.raises(DataError, match=r"broke off after \d+ of 1024000 bytes \(.*\); run the same command again"):
        download(remote(server), tmp_path / "a.zip", silent)
    assert not (tmp_path / "a.zip").exists()


def test_an_earlier_part_is_continued(server: RecordServer, tmp_path: Path) -> None:
    (tmp_path / ".a.zip.part").write_bytes(CONTENT[:700_000])
    download(remote(server), tmp_path / "a.zip", silent)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert server.asked[-1] == ("a file.zip", 700_000)


def test_a_whole_part_needs_no_connection(server: RecordServer, tmp_path: Path) -> None:
    (tmp_path / ".a.zip.part").write_bytes(CONTENT)
    wanted = remote(server)
    server.asked.clear()
    download(wanted, tmp_path / "a.zip", silent)
    assert not server.asked


@pytest.mark.parametrize("part", [b"of something else" * 1_000, CONTENT + b"too long"])
def test_a_part_of_something_else_is_thrown_away(server: RecordServer, tmp_path: Path, part: bytes) -> None:
    (tmp_path / ".a.zip.part").write_bytes(part)
    with pytest.raises(DataError, match=f"must have the MD5 {hashlib.md5(CONTENT).hexdigest()} that its record"):
        download(remote(server), tmp_path / "a.zip", silent)
    assert not list(tmp_path.iterdir())
    download(remote(server), tmp_path / "a.zip", silent)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_content_that_is_not_what_the_record_says(server: RecordServer, tmp_path: Path) -> None:
    server.checksums["a file.zip"] = "md5:" + "0" * 32
    with pytest.raises(DataError, match=r"must have the MD5 0{32} .* run the same command again"):
        download(remote(server), tmp_path / "a.zip", silent)
    assert not list(tmp_path.iterdir())


def test_an_empty_file(tmp_path: Path) -> None:
    with serving({"a file.zip": b""}) as server:
        download(remote(server), tmp_path / "a.zip", silent)
    assert (tmp_path / "a.zip").read_bytes() == b""


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_missing_file_is_not_asked_for_again(server: RecordServer, tmp_path: Path, status: int) -> None:
    wanted = remote(server)
    server.status["a file.zip"] = status
    with pytest.raises(DataError, match=f"must be there, the server answered {status}"):
        download(wanted, tmp_path / "a.zip", silent)
    assert len(server.asked) == 2


def test_a_busy_server_is_asked_again(server: RecordServer, tmp_path: Path) -> None:
    wanted = remote(server)
    server.status["a file.zip"] = 503
    with pytest.raises(DataError, match="the server answered 503"):
        download(wanted, tmp_path / "a.zip", silent)
    assert len(server.asked) == 4


def test_a_server_that_says_nothing(server: RecordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = remote(server)
    server.cut_after, server.cuts, server.stall = 0, 99, True
    monkeypatch.setattr(transfer, "TIMEOUT_S", 0.1)
    monkeypatch.setattr(transfer, "PAUSES_S", ())
    with pytest.raises(DataError, match=r"broke off .*timed out"):
        download(wanted, tmp_path / "a.zip", silent)


def test_no_server(tmp_path: Path) -> None:
    with serving({}) as server:
        url = server.url
    with pytest.raises(DataError, match=r"broke off after 0 of 5 bytes .*refused"):
        download(RemoteFile("a", f"{url}/a", 5, "0" * 32), tmp_path / "a", silent)
    with pytest.raises(DataError, match=r"cannot be reached .*; check the network"):
        download(RemoteFile("a", "http://nowhere.invalid/a", 5, "0" * 32), tmp_path / "a", silent)


def test_a_full_disk_is_seen_before_anything_is_fetched(
    server: RecordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = remote(server)

    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda path: Usage(500_000))
    with pytest.raises(DataError, match=r"needs 0\.00 GB of free space, got 0\.00; make room"):
        download(wanted, tmp_path / "a.zip", silent)
    assert len(server.asked) == 1
    (tmp_path / ".a.zip.part").write_bytes(CONTENT[:600_000])
    download(wanted, tmp_path / "a.zip", silent)


KILLED = """
import sys
from pathlib import Path
from edgeseld.data.download import transfer
from edgeseld.data.download.listing import list_record
transfer.BLOCK_BYTES = 10_000
url, path = sys.argv[1:]
transfer.download(list_record(7, url)["a file.zip"], Path(path), lambda *report: None)
"""


def test_a_killed_download_goes_on_where_it_was(server: RecordServer, tmp_path: Path) -> None:
    server.cut_after, server.cuts, server.stall = 400_000, 1, True
    part = tmp_path / ".a.zip.part"
    with subprocess.Popen([sys.executable, "-c", KILLED, server.url, str(tmp_path / "a.zip")]) as process:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not (part.exists() and part.stat().st_size >= 390_000):
            time.sleep(0.01)
        process.kill()
    kept = part.stat().st_size
    server.stall = False
    download(remote(server), tmp_path / "a.zip", silent)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert server.asked[-1] == ("a file.zip", kept)


# Listings


@pytest.mark.parametrize("status", [404, 500])
def test_a_record_that_is_not_there(server: RecordServer, status: int) -> None:
    server.status[""] = status
    with pytest.raises(DataError, match=rf"must be reachable at http.*/api/records/7, got: .*{status}.*; try again"):
        list_record(7, server.url)


def test_a_listing_without_md5(server: RecordServer) -> None:
    server.checksums["a file.zip"] = "sha256:00"
    with pytest.raises(DataError, match=r"must be MD5, got 'sha256:00' for a file\.zip"):
        list_record(7, server.url)
