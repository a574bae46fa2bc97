"""Data sets from a local record: fetched whole, gone on with, refused."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeseld.core.errors import DataError
from edgeseld.data.dataset import open_dataset
from edgeseld.data.download import fetching, transfer
from edgeseld.data.download.fetching import RECEIPT_NAME, fetch_dataset
from edgeseld.data.download.records import RECORDS, Archive, PublicRecord
from tests.data.made_sets import maestro, starss
from tests.data.record_server import RecordServer, serving, zipped_folder


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(transfer, "BLOCK_BYTES", 10_000)


def silent(work: str, done: int, total: int) -> None:
    pass


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
