"""Archives are unpacked whole or not at all."""

import os
from pathlib import Path

import pytest

from edgeseld.core.errors import DataError
from edgeseld.data.download import unpacking
from edgeseld.data.download.unpacking import unpack
from tests.data.record_server import zipped


def silent(work: str, done: int, total: int) -> None:
    pass


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
