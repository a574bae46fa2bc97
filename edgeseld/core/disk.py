"""A full disk, told as one: libraries hide it behind errors of their own."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeseld.core.errors import DiskFullError, EdgeseldError

FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT)
# A write that failed while less than this was left failed for that.
FULL_BYTES = 1 << 20
# numpy sets no errno.
NUMPY_FULL = "Not enough free space"
ELSEWHERE = "free some, or name a folder on another disk"
ELSEWHERE_TEMPORARY = "free some, or let TMPDIR name a folder on another disk"


@contextmanager
def full_disk_told(folder: Path, remedy: str = ELSEWHERE) -> Iterator[None]:
    """DiskFullError for what fails inside because no space is left on the disk of `folder`."""
    try:
        yield
    except EdgeseldError:
        raise
    except Exception as error:
        if is_full(error, folder):
            raise DiskFullError(f"no space left on the disk of {folder}: {remedy}, and try again") from error
        raise


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for files that nobody keeps; DiskFullError where they find no space."""
    with tempfile.TemporaryDirectory(prefix="edgeseld-") as name, full_disk_told(Path(name), ELSEWHERE_TEMPORARY):
        yield Path(name)


def require_space(folder: Path, size_bytes: int, remedy: str = ELSEWHERE) -> None:
    """DiskFullError where fewer bytes are free, for libraries that a full disk kills."""
    free = shutil.disk_usage(folder).free
    if free < size_bytes:
        needed, left = (f"{size / 1e6:.0f} MB" for size in (size_bytes, free))
        raise DiskFullError(f"{needed} are needed on the disk of {folder}, {left} are free: {remedy}, and try again")


def is_full(error: Exception, folder: Path) -> bool:
    """Whether `error` says so itself, or the disk does."""
    if isinstance(error, OSError) and (error.errno in FULL_ERRNOS or NUMPY_FULL in str(error)):
        return True
    return folder.exists() and shutil.disk_usage(folder).free < FULL_BYTES
