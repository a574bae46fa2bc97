"""Atomic writing: all or nothing; a full disk is told as one."""

import errno
import shutil
from collections import namedtuple
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from edgeseld.core.atomic import atomic_file, atomic_folder, write_atomic
from edgeseld.core.disk import require_space, temporary_folder
from edgeseld.core.errors import ConfigError, DiskFullError

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 30, (1 << 30) - 4096, 4096))


def broken(writing: AbstractContextManager[Path]) -> Path:
    """Where it was written until something else went wrong."""
    try:
        with writing as temporary:
            (temporary / "half" if temporary.is_dir() else temporary).write_text("half")
            raise ValueError("broken")
    except ValueError:
        return temporary


def test_a_file_appears_whole_and_alone(tmp_path: Path) -> None:
    write_atomic(tmp_path / "new" / "file.bin", b"content")
    assert (tmp_path / "new" / "file.bin").read_bytes() == b"content"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file.bin"]


def test_what_fails_keeps_the_old_file(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file.bin", b"old")
    temporary = broken(atomic_file(tmp_path / "file.bin"))
    assert not temporary.exists()
    assert (tmp_path / "file.bin").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.bin"]


def test_a_folder_replaces_a_full_one_or_leaves_it(tmp_path: Path) -> None:
    for content in ("first", "second"):
        with atomic_folder(tmp_path / "run") as temporary:
            (temporary / content).write_text(content)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["second"]
    broken(atomic_folder(tmp_path / "run"))
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["run", "run/second"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_no_space_or_quota_names_the_folder_and_the_way_out(tmp_path: Path, code: int) -> None:
    with pytest.raises(DiskFullError, match=f"no space left on the disk of {tmp_path}: free some"):
        with atomic_file(tmp_path / "file.bin"):
            raise OSError(code, "full")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("full")
def test_a_library_that_fails_on_a_full_disk_in_words_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match="no space left") as told, atomic_folder(tmp_path / "run"):
        raise RuntimeError("unexpected pos 576")
    assert isinstance(told.value.__cause__, RuntimeError)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("full")
def test_our_own_errors_are_what_they_say_on_a_full_disk_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="wrong key"), atomic_file(tmp_path / "file.bin"):
        raise ConfigError("wrong key")


def test_other_errors_on_a_disk_with_space_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), atomic_file(tmp_path / "file.bin"):
        raise PermissionError(errno.EACCES, "not allowed")


def test_a_folder_that_vanishes_meanwhile_is_not_taken_for_a_full_one(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(FileNotFoundError, match=r"file\.bin"), atomic_file(folder / "file.bin"):
        shutil.rmtree(folder)


@pytest.mark.usefixtures("full")
def test_temporary_files_without_space_name_tmpdir() -> None:
    with pytest.raises(DiskFullError, match="TMPDIR"), temporary_folder():
        raise RuntimeError("unexpected pos 576")


def test_a_temporary_folder_is_gone_afterwards() -> None:
    with temporary_folder() as folder:
        (folder / "file").write_text("content")
    assert not folder.exists()


def test_numpy_tells_a_full_disk_without_its_number(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError), atomic_file(tmp_path / "file.npy"):
        raise OSError("Not enough free space to write 43317274 bytes after offset 128")


@pytest.mark.usefixtures("full")
def test_space_that_a_step_needs_is_asked_for_before_it(tmp_path: Path) -> None:
    require_space(tmp_path, 4096)
    with pytest.raises(DiskFullError, match=f"25 MB are needed on the disk of {tmp_path}, 0 MB are free: free some"):
        require_space(tmp_path, 25_000_000)
