"""A data set from its public record into a folder: list, download, check, unpack; what is there already stays."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edgeseld.core.atomic import write_atomic
from edgeseld.core.errors import DataError
from edgeseld.core.structs import Frozen, read_json, to_json
from edgeseld.data.download.listing import ZENODO_URL, list_record
from edgeseld.data.download.records import RECORDS, Archive, PublicRecord
from edgeseld.data.download.transfer import RemoteFile, Report, download, require_checksum, require_space
from edgeseld.data.download.unpacking import unpack

RECEIPT_NAME = ".download.json"


class Receipt(Frozen, frozen=True, kw_only=True):
    """Which archives of a record lie unpacked in the folder, and the MD5 of each."""

    record: int
    archives: dict[str, str] = msgspec.field(default_factory=dict)


def fetch_dataset(name: str, root: Path, parts: Sequence[str], report: Report, base_url: str = ZENODO_URL) -> None:
    """Labels and the named parts of a data set, each archive as a folder of `root`.

    Run again after an interruption it goes on where it was. DataError for an unknown part, another data set in the
    folder, too little space, and whatever the record, its server or its archives have wrong.
    """
    record = RECORDS[name]
    archives = [record.labels, *_parts(name, record, parts)]
    root.mkdir(parents=True, exist_ok=True)
    receipt = _receipt(root, record, name)
    todo = [archive for archive in archives if not _is_there(archive, root, receipt)]
    if not todo:
        return
    listed = list_record(record.record, base_url)
    remotes = [_published(archive, listed, record) for archive in todo]
    # An archive and what it unpacks to lie side by side for a while; what it unpacks to is no smaller.
    sizes = [remote.size_bytes for remote in remotes]
    require_space(root, sum(sizes) + max(sizes) - _partly_there(root, remotes))
    for archive, remote in zip(todo, remotes, strict=True):
        _fetch(archive, remote, root, report)
        receipt = Receipt(record=receipt.record, archives=receipt.archives | {archive.file: remote.md5})
        write_atomic(root / RECEIPT_NAME, to_json(receipt))
        (root / archive.file).unlink()


def _fetch(archive: Archive, remote: RemoteFile, root: Path, report: Report) -> None:
    path = root / archive.file
    if path.exists():
        require_checksum(remote, path)
    else:
        download(remote, path, report)
    unpack(path, root / archive.folder, report)


def _parts(name: str, record: PublicRecord, parts: Sequence[str]) -> list[Archive]:
    unknown = [part for part in parts if part not in record.parts]
    if unknown:
        raise DataError(f"{name} has the parts {', '.join(record.parts)}, got {unknown[0]!r}: choose one of them")
    chosen = parts or list(record.parts)[:1]
    return [record.parts[part] for part in dict.fromkeys(chosen)]


def _receipt(root: Path, record: PublicRecord, name: str) -> Receipt:
    path = root / RECEIPT_NAME
    receipt = read_json(path, Receipt) if path.exists() else Receipt(record=record.record)
    if receipt.record != record.record:
        raise DataError(
            f"{root} holds the record {receipt.record}, got {name} ({record.record}): choose another folder"
        )
    return receipt


def _is_there(archive: Archive, root: Path, receipt: Receipt) -> bool:
    return archive.file in receipt.archives and (root / archive.folder).is_dir()


def _published(archive: Archive, listed: dict[str, RemoteFile], record: PublicRecord) -> RemoteFile:
    if archive.file not in listed:
        raise DataError(
            f"record {record.record} must hold {archive.file}, got {', '.join(sorted(listed)) or 'nothing'}"
        )
    remote = listed[archive.file]
    if archive.md5 is not None and archive.md5 != remote.md5:
        raise DataError(
            f"record {record.record} must publish the MD5 {archive.md5} of {archive.file}, got {remote.md5}: it is not "
            "the record that this version knows; update edgeseld"
        )
    return remote


def _partly_there(root: Path, remotes: Sequence[RemoteFile]) -> int:
    """Bytes of archives, whole or not, that need no more room."""
    paths = [path for remote in remotes for path in (root / remote.name, root / f".{remote.name}.part")]
    return sum(path.stat().st_size for path in paths if path.exists())
