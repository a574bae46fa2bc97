"""Writing bundles: all of a bundle or nothing, and the same bytes for the same inputs."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from edgeseld.core.atomic import atomic_file
from edgeseld.core.manifest import SUMS_FILE

# Zip entries carry a time; this one, the earliest there is, makes zips of equal bundles equal.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def write_sums(folder: Path) -> None:
    """SHA256SUMS of every other file, by name."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [f"{sha256(folder / name)}  {name}\n" for name in names if name != SUMS_FILE]
    (folder / SUMS_FILE).write_text("".join(lines))


def sha256(path: Path) -> str:
    """Hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sources_sha256(roots: Mapping[str, Path]) -> str:
    """Hash of the Python sources that define a network and its export, names and contents, sorted."""
    digest = hashlib.sha256()
    for label, root in sorted(roots.items()):
        for path in sorted(root.rglob("*.py")):
            digest.update(f"{label}/{path.relative_to(root).as_posix()}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def zip_bundle(folder: Path, target: Path, *, compressed: bool = False) -> None:
    """`NAME.seld.zip`: the files of a bundle, sorted; uncompressed, devices can map them."""
    how = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with atomic_file(target) as temporary, zipfile.ZipFile(temporary, "w", how, compresslevel=9) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", ZIP_TIME)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes(), how)
