"""What a record on Zenodo holds, from its public interface: `GET /api/records/NUMBER`."""

import urllib.parse
from http.client import HTTPException

import msgspec

from edgeseld.core.errors import DataError
from edgeseld.data.download.transfer import RemoteFile, open_url

ZENODO_URL = "https://zenodo.org"
MD5_PREFIX = "md5:"


class ListedFile(msgspec.Struct, frozen=True):
    """One entry; the interface says more, which is ignored."""

    key: str
    size: int
    checksum: str


class Listing(msgspec.Struct, frozen=True):
    """The part of a record's description that is needed."""

    files: list[ListedFile]


def list_record(record: int, base_url: str) -> dict[str, RemoteFile]:
    """Files of a record by name; DataError where it cannot be reached or read."""
    url = f"{base_url}/api/records/{record}"
    try:
        with open_url(url) as response:
            listing = msgspec.json.decode(response.read(), type=Listing)
    except (OSError, HTTPException, msgspec.MsgspecError) as error:
        raise DataError(f"the record must be reachable at {url}, got: {error}; try again later") from error
    return {file.key: _remote(file, url) for file in listing.files}


def _remote(file: ListedFile, url: str) -> RemoteFile:
    if not file.checksum.startswith(MD5_PREFIX):
        raise DataError(f"{url}: checksums of the record must be MD5, got {file.checksum!r} for {file.key}")
    content = f"{url}/files/{urllib.parse.quote(file.key)}/content"
    return RemoteFile(file.key, content, file.size, file.checksum.removeprefix(MD5_PREFIX))
