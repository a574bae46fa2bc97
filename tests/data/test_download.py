"""Downloads from a local record: whole, resumed, refused; archives unpacked whole or not at all."""

import hashlib
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from edgeseld.core.errors import DataError
from edgeseld.data.dataset import open_dataset
from edgeseld.data.download import fetching, transfer, unpacking
from edgeseld.data.download.fetching import RECEIPT_NAME, fetch_dataset
from edgeseld.data.download.listing import list_record
from edgeseld.data.download.records import RECORDS, Archive, PublicRecord
from edgeseld.data.download.transfer import RemoteFile, download
from edgeseld.data.download.unpacking import unpack
from tests.data.made_sets import maestro, starss
from tests.data.record_server import RecordServer, serving, zipped, zipped_folder

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


# Archives


def archive_of(folder: Path, members: dict[str, bytes | str]) -> Path:
    path = folder / "foa_dev.zip"
    path.write_bytes(zipped(members))
    return path


@pytest.mark.parametrize("top", ["", "foa_dev/"])
def test_a_top_folder_is_not_repeated(tmp_path: Path, top: str) -> None:
    archive = archive_of(tmp_path, {f"{top}dev-train/a.wav": "a", f"{top}b.wav": "b"})
    unpack(archive, tmp_path / "foa_dev", silent)
    assert (tmp_path / "foa_dev/dev-train/a.wav").read_text() == "a"
    assert (tmp_path / "foa_dev/b.wav").read_text() == "b"
    assert {path.name for path in tmp_path.iterdir()} == {"foa_dev", "foa_dev.zip"}


def test_litter_stays_behind(tmp_path: Path) -> None:
    members: dict[str, bytes | str] = {"foa_dev/a.wav": "a", "__MACOSX/foa_dev/._a.wav": "x", "foa_dev/.DS_Store": "x"}
    unpack(archive_of(tmp_path, members), tmp_path / "foa_dev", silent)
    assert [path.name for path in (tmp_path / "foa_dev").iterdir()] == ["a.wav"]


@pytest.mark.parametrize("name", ["../a.wav", "/etc/a.wav", "foa_dev/../../a.wav", "..\\a.wav", "C:/a.wav"])
def test_names_that_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"must stay in its folder, got .*; do not use it"):
        unpack(archive_of(tmp_path, {"foa_dev/b.wav": "b", name: "a"}), tmp_path / "foa_dev", silent)
    assert [path.name for path in tmp_path.iterdir()] == ["foa_dev.zip"]


@pytest.mark.parametrize("damage", ["cut", "altered", "empty", "no zip"])
def test_a_damaged_archive_leaves_nothing(tmp_path: Path, damage: str) -> None:
    archive = archive_of(tmp_path, {"foa_dev/a.wav": os.urandom(5_000)})
    content = archive.read_bytes()
    changed = {
        "cut": content[:3_000],
        "altered": content[:2_000] + bytes(100) + content[2_100:],
        "empty": zipped({}),
        "no zip": b"<html>",
    }
    archive.write_bytes(changed[damage])
    with pytest.raises(DataError, match=r"must be an intact zip archive, got: .*; remove it and try again"):
        unpack(archive, tmp_path / "foa_dev", silent)
    assert [path.name for path in tmp_path.iterdir()] == ["foa_dev.zip"]


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "foa_dev").mkdir()
    with pytest.raises(DataError, match="is there already, and not as this command left it"):
        unpack(archive_of(tmp_path, {"a.wav": "a"}), tmp_path / "foa_dev", silent)


def test_what_a_killed_run_unpacked_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".foa_dev.xyz.tmp").mkdir()
    unpack(archive_of(tmp_path, {"a.wav": "a"}), tmp_path / "foa_dev", silent)
    assert {path.name for path in tmp_path.iterdir()} == {"foa_dev", "foa_dev.zip"}


def test_an_archive_that_does_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, needed_bytes: int) -> None:
        assert needed_bytes == 5_000
        raise DataError("full")

    monkeypatch.setattr(unpacking, "require_space", full)
    with pytest.raises(DataError, match="full"):
        unpack(archive_of(tmp_path, {"a.wav": bytes(5_000)}), tmp_path / "foa_dev", silent)


# Data sets


def starss_record(folder: Path) -> dict[str, bytes]:
    root = starss(folder)
    (root / "video_dev/dev-train-tau").mkdir(parents=True)
    (root / "video_dev/dev-train-tau/fold3_room4_mix001.mp4").write_bytes(b"film")
    return {f"{name}.zip": zipped_folder(root, name) for name in ("foa_dev", "mic_dev", "video_dev", "metadata_dev")}


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordServer]:
    """A small STARSS23 whose checksums nobody knows beforehand."""
    known = RECORDS["starss23"]
    parts = {name: Archive(archive.file) for name, archive in known.parts.items()}
    unpinned = PublicRecord(known.title, 7, known.licence, Archive("metadata_dev.zip"), parts)
    monkeypatch.setitem(fetching.RECORDS, "starss23", unpinned)
    with serving(starss_record(tmp_path / "published")) as state:
        yield state


def test_a_data_set_is_ready_to_use(record: RecordServer, tmp_path: Path) -> None:
    root = tmp_path / "set"
    fetch_dataset("starss23", root, (), silent, record.url)
    assert len(open_dataset(root, "foa").scenes) == 2
    assert {path.name for path in root.iterdir()} == {"foa_dev", "metadata_dev", RECEIPT_NAME}
    assert [name for name, _ in record.asked] == ["", "metadata_dev.zip", "foa_dev.zip"]


def test_what_is_there_is_not_fetched_again(record: RecordServer, tmp_path: Path) -> None:
    root = tmp_path / "set"
    fetch_dataset("starss23", root, ("foa",), silent, record.url)
    record.asked.clear()
    fetch_dataset("starss23", root, ("foa",), silent, record.url)
    assert not record.asked
    fetch_dataset("starss23", root, ("foa", "video", "mic", "mic"), silent, record.url)
    assert [name for name, _ in record.asked] == ["", "video_dev.zip", "mic_dev.zip"]


def test_an_archive_that_the_user_has_is_used(record: RecordServer, tmp_path: Path) -> None:
    root = tmp_path / "set"
    root.mkdir()
    (root / "foa_dev.zip").write_bytes(record.files["foa_dev.zip"])
    fetch_dataset("starss23", root, (), silent, record.url)
    assert [name for name, _ in record.asked] == ["", "metadata_dev.zip"]
    (root / "mic_dev.zip").write_bytes(b"something else")
    with pytest.raises(DataError, match=r"mic_dev\.zip must have the MD5"):
        fetch_dataset("starss23", root, ("mic",), silent, record.url)
    assert (root / "mic_dev.zip").exists()


def test_an_interrupted_data_set_goes_on(record: RecordServer, tmp_path: Path) -> None:
    root = tmp_path / "set"
    record.status["foa_dev.zip"] = 404
    with pytest.raises(DataError, match="404"):
        fetch_dataset("starss23", root, (), silent, record.url)
    assert {path.name for path in root.iterdir()} == {"metadata_dev", RECEIPT_NAME, ".foa_dev.zip.part"}
    record.status.clear()
    record.asked.clear()
    fetch_dataset("starss23", root, (), silent, record.url)
    assert [name for name, _ in record.asked] == ["", "foa_dev.zip"]


def test_a_folder_that_was_removed_comes_back(record: RecordServer, tmp_path: Path) -> None:
    root = tmp_path / "set"
    fetch_dataset("starss23", root, (), silent, record.url)
    (root / "foa_dev").rename(tmp_path / "elsewhere")
    fetch_dataset("starss23", root, (), silent, record.url)
    assert (root / "foa_dev").is_dir()


def test_maestro_unpacks_to_its_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = maestro(tmp_path / "published")
    names = ("development_audio", "development_annotation")
    with serving({f"{name}.zip": zipped_folder(published, name) for name in names}) as server:
        fetch_dataset("maestro-real", tmp_path / "set", (), silent, server.url)
    assert len(open_dataset(tmp_path / "set", "stereo").scenes) == 1


def test_a_known_checksum_must_be_the_published_one(tmp_path: Path) -> None:
    with serving(starss_record(tmp_path / "published")) as server:
        with pytest.raises(
            DataError, match=r"must publish the MD5 e73af95a6d5f3f7e009ac6a70804f44a of metadata_dev\.zip"
        ):
            fetch_dataset("starss23", tmp_path / "set", (), silent, server.url)
        assert len(server.asked) == 1


def test_what_is_asked_of_a_record(record: RecordServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="starss23 has the parts foa, mic, video, got 'smell'"):
        fetch_dataset("starss23", tmp_path / "set", ("smell",), silent, record.url)
    del record.files["mic_dev.zip"]
    with pytest.raises(DataError, match=r"record 7 must hold mic_dev\.zip, got foa_dev\.zip, metadata_dev\.zip, video"):
        fetch_dataset("starss23", tmp_path / "set", ("mic",), silent, record.url)


def test_a_folder_holds_one_data_set(record: RecordServer, tmp_path: Path) -> None:
    fetch_dataset("starss23", tmp_path / "set", (), silent, record.url)
    with pytest.raises(DataError, match=r"holds the record 7, got starss22 \(6387880\): choose another folder"):
        fetch_dataset("starss22", tmp_path / "set", (), silent, record.url)


def test_room_for_archives_and_what_they_hold(
    record: RecordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(fetching, "require_space", lambda folder, needed: asked.append(needed))
    fetch_dataset("starss23", tmp_path / "set", (), silent, record.url)
    labels, foa = len(record.files["metadata_dev.zip"]), len(record.files["foa_dev.zip"])
    assert asked == [labels + foa + foa]


def test_every_record_is_well_formed() -> None:
    for name, record in RECORDS.items():
        archives = [record.labels, *record.parts.values()]
        assert len({archive.file for archive in archives}) == len(archives), name
        for archive in archives:
            assert archive.file == f"{archive.folder}.zip"
            assert archive.md5 is None or (len(archive.md5) == 32 and int(archive.md5, 16) >= 0)


def test_zip_members_carry_their_content(tmp_path: Path) -> None:
    """The stand-in makes archives as the published ones are: the folder's name at the top."""
    content = zipped_folder(starss(tmp_path), "foa_dev")
    (tmp_path / "a.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert "foa_dev/dev-train-tau/fold3_room4_mix001.wav" in archive.namelist()
