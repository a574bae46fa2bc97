"""Reading bundles `NAME.seld/` and `NAME.seld.zip`: nothing is used before its hash is checked."""

import hashlib
import re
import shutil
import tempfile
import weakref
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from edgeseld.core.disk import ELSEWHERE_TEMPORARY, full_disk_told
from edgeseld.core.errors import BundleError, ConfigError, EdgeseldError
from edgeseld.core.manifest import MANIFEST_FILE, SCHEMA_VERSION, SUMS_FILE, GraphSpec, Manifest, Role
from edgeseld.core.structs import read_json

SUFFIX = ".seld"
SHARED_WEIGHTS_FILE = "weights.bin"
SUM_LINE = re.compile(r"^([0-9a-f]{64})  (\S.*)$")
# No model for a phone comes near this; a zip that unpacks to more is not one of ours.
LARGEST_BYTES = 1 << 30
LARGEST_FILE_COUNT = 100


class Unpacked:
    """A temporary folder that goes with the last who holds it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="edgeseld-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose every file has been checked against SHA256SUMS.

    `holder` keeps the temporary folder of an unpacked zip alive.
    """

    folder: Path
    manifest: Manifest
    holder: Unpacked | None = None

    def graph(self, role: Role) -> GraphSpec:
        """The graph of a role; BundleError where the bundle has none."""
        try:
            return self.manifest.graphs[role]
        except KeyError:
            held = ", ".join(self.manifest.graphs)
            raise BundleError(f"{self.manifest.name} has no graph {role!r}, only {held}: export it again") from None


def graph_bytes(bundle: Bundle, role: Role = "full") -> int:
    """Size of the files that one graph needs: its file or package, and the weights that ONNX graphs share."""
    paths = [bundle.folder / bundle.graph(role).file, bundle.folder / SHARED_WEIGHTS_FILE]
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files if file.is_file())


def open_bundle(path: Path, *, allow_drift: bool = False) -> Bundle:
    """Open a bundle's folder or zip.

    BundleError for a missing, unlisted or changed file, an unsafe path, a newer schema, an unknown key, or a bundle
    that was written although it failed its verification (unless `allow_drift`).
    """
    if not path.exists():
        raise BundleError(f"no bundle at {path}: check the path, or export one with `edgeseld export`")
    holder = Unpacked() if path.is_file() else None
    folder = path if holder is None else _unpack(path, holder.folder)
    _check_sums(folder)
    manifest = _read_manifest(folder)
    if not manifest.verified and not allow_drift:
        raise BundleError(
            f"{path} was written although it failed its verification (--allow-drift); export it again, or ask for it"
        )
    return Bundle(folder, manifest, holder)


def _check_sums(folder: Path) -> None:
    """Every file is listed, every listed file is there and has its hash."""
    listed = _read_sums(folder)
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()} - {SUMS_FILE}
    for name in sorted(present - set(listed)):
        raise BundleError(f"every file of a bundle is listed in {SUMS_FILE}; {folder / name} is not: remove it")
    for name, expected in listed.items():
        file = folder / name
        if file.is_symlink() or not file.is_file():
            raise BundleError(f"{SUMS_FILE} lists {name}, and {folder} does not hold it: copy the bundle again")
        if _sha256(file) != expected:
            raise BundleError(f"{file} was changed after the bundle was written: copy or export the bundle again")


def _read_sums(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / SUMS_FILE).read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        raise BundleError(
            f"{folder} is no bundle: it has no {SUMS_FILE}; name a folder or zip that export wrote"
        ) from None
    listed: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = SUM_LINE.match(line)
        if match is None:
            raise BundleError(
                f"{folder / SUMS_FILE}, line {number}: expected a hash and a name; export the bundle again"
            )
        listed[_safe(match.group(2))] = match.group(1)
    if MANIFEST_FILE not in listed:
        raise BundleError(f"{folder / SUMS_FILE} does not list {MANIFEST_FILE}: export the bundle again")
    return listed


def _safe(name: str) -> str:
    """A relative path that stays inside the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
        raise BundleError(f"paths in a bundle stay inside it, got {name!r}: do not use this bundle")
    return name


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST_FILE
    version = _schema_version(path)
    if version > SCHEMA_VERSION:
        raise BundleError(f"{path} has schema {version}, this edgeseld reads up to {SCHEMA_VERSION}: upgrade edgeseld")
    try:
        manifest = read_json(path, Manifest)
    except ConfigError as error:
        raise BundleError(str(error)) from error
    for graph in manifest.graphs.values():
        if not (folder / _safe(graph.file)).exists():
            raise BundleError(f"{path} names {graph.file}, which {folder} does not hold: export the bundle again")
    return manifest


def _schema_version(path: Path) -> int:
    class Version(msgspec.Struct):
        schema_version: int

    try:
        return msgspec.json.decode(path.read_bytes(), type=Version).schema_version
    except msgspec.MsgspecError as error:
        raise BundleError(f"{path}: {error}; export the bundle again") from error


def _unpack(path: Path, target: Path) -> Path:
    """Unpack a zip after a look at its names and sizes; its files lie at the top or in one folder NAME.seld."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > LARGEST_FILE_COUNT or sum(entry.file_size for entry in entries) > LARGEST_BYTES:
                raise BundleError(f"{path} unpacks to more than a bundle can hold: do not use it")
            for entry in entries:
                _safe(entry.filename)
            with full_disk_told(target, ELSEWHERE_TEMPORARY):
                archive.extractall(target)
    except EdgeseldError:
        raise
    except Exception as error:
        # Damaged zips raise whatever their decompressor raises.
        raise BundleError(f"{path} is no bundle zip ({error}): copy or export it again") from error
    if (target / SUMS_FILE).exists():
        return target
    inner = [folder for folder in target.iterdir() if folder.is_dir()]
    return inner[0] if len(inner) == 1 else target
