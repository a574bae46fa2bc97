"""A zip archive to a folder: safe names, enough space, whole or not at all."""

import os
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from edgeseld.core.errors import DataError
from edgeseld.data.download.transfer import Report, require_space

# What file managers leave in archives.
LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db")


def unpack(archive: Path, folder: Path, report: Report) -> None:
    """Fill the new folder `folder` with the files of an archive; a top folder of that name is not repeated.

    DataError for a damaged archive, a name that leaves the folder, a folder that is there already, or too little space.
    """
    if folder.exists():
        raise DataError(f"{folder} is there already, and not as this command left it: move it away, or use it as it is")
    for leftover in folder.parent.glob(f".{folder.name}.*.tmp"):
        shutil.rmtree(leftover)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
    try:
        with zipfile.ZipFile(archive) as content:
            _extract(content, temporary, folder.name, report)
        _flush()
        temporary.chmod(0o755)
        temporary.rename(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataError(f"{archive} must be an intact zip archive, got: {error}; remove it and try again") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _extract(content: zipfile.ZipFile, target: Path, top: str, report: Report) -> None:
    members = {_inside(member.filename, content): member for member in content.infolist() if not _skipped(member)}
    if all(path.parts[0] == top for path in members):
        members = {PurePosixPath(*path.parts[1:]): member for path, member in members.items()}
    if not members:
        raise zipfile.BadZipFile("it holds no file")
    total = sum(member.file_size for member in members.values())
    require_space(target, total)
    done = 0
    for path, member in members.items():
        output = target / path
        output.parent.mkdir(parents=True, exist_ok=True)
        with content.open(member) as source, output.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        done += member.file_size
        report(f"unpacking {top}", done, total)


def _flush() -> None:
    """One flush for all of up to tens of thousands of files, before the folder's name vouches for them."""
    if hasattr(os, "sync"):
        os.sync()


def _skipped(member: zipfile.ZipInfo) -> bool:
    return member.is_dir() or any(part in LITTER or part.startswith("._") for part in member.filename.split("/"))


def _inside(name: str, content: zipfile.ZipFile) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0]:
        raise DataError(f"{content.filename}: names in an archive must stay in its folder, got {name!r}; do not use it")
    return path
