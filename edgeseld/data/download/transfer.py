"""One file over HTTP: resumed where it broke off, checked against its MD5, in place only when it is whole."""

import hashlib
import shutil
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import cast

from edgeseld import __version__
from edgeseld.core.errors import DataError

# Name of the work, bytes done, bytes in all.
Report = Callable[[str, int, int], None]

TIMEOUT_S = 60.0
BLOCK_BYTES = 1 << 20
# Pauses before the next attempt; a connection that carried anything starts over with the first.
PAUSES_S = (1.0, 4.0, 16.0, 60.0)
TRY_AGAIN = (408, 416, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on a server, as its record publishes it."""

    name: str
    url: str
    size_bytes: int
    md5: str


class BrokenOffError(Exception):
    """The connection ended early; another attempt may go on."""


def open_url(url: str, start: int = 0) -> HTTPResponse:
    """GET, from byte `start` on where the server can."""
    headers = {"User-Agent": f"edgeseld/{__version__}"} | ({"Range": f"bytes={start}-"} if start else {})
    request = urllib.request.Request(url, headers=headers)
    try:
        return cast(HTTPResponse, urllib.request.urlopen(request, timeout=TIMEOUT_S))
    except urllib.error.HTTPError as error:
        error.close()
        raise


def download(remote: RemoteFile, path: Path, report: Report) -> None:
    """Fetch a file to `path`, going on with what an earlier attempt left in `.NAME.part` beside it.

    DataError for an answer other than the file, a connection that keeps breaking, too little space, or content that is
    not what the record's checksum says; such content is removed, anything else is kept for the next attempt.
    """
    part = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    require_space(path.parent, remote.size_bytes - _size(part))
    part.touch()
    furthest, failures = _size(part), 0
    while _size(part) < remote.size_bytes:
        try:
            _continue(remote, part, report)
        except BrokenOffError as error:
            failures = 0 if _size(part) > furthest else failures + 1
            furthest = max(furthest, _size(part))
            if failures > len(PAUSES_S):
                raise DataError(
                    f"{remote.url} broke off after {_size(part)} of {remote.size_bytes} bytes ({error}); run the same "
                    "command again, it goes on from there"
                ) from error
            time.sleep(PAUSES_S[max(0, failures - 1)])
    try:
        require_checksum(remote, part)
    except DataError:
        part.unlink()
        raise
    part.replace(path)


def require_space(folder: Path, needed_bytes: int) -> None:
    """DataError unless the disk has so much room left."""
    free = shutil.disk_usage(folder).free
    if needed_bytes > free:
        raise DataError(
            f"{folder} needs {needed_bytes / 1e9:.2f} GB of free space, got {free / 1e9:.2f}; make room or choose "
            "another disk"
        )


def _continue(remote: RemoteFile, part: Path, report: Report) -> None:
    """One connection: append to `part`, or write it anew where the server starts from the beginning."""
    start = _size(part)
    try:
        with open_url(remote.url, start) as response:
            goes_on = response.status == 206 and str(response.headers["Content-Range"]).startswith(f"bytes {start}-")
            done = start if goes_on else 0
            with part.open("ab" if goes_on else "wb") as file:
                while block := response.read(BLOCK_BYTES):
                    file.write(block)
                    done += len(block)
                    report(remote.name, done, remote.size_bytes)
    except urllib.error.HTTPError as error:
        _object_to_answer(error, remote.url, part)
    except urllib.error.URLError as error:
        if isinstance(error.reason, socket.gaierror):
            raise DataError(f"{remote.url} cannot be reached ({error.reason}); check the network") from error
        raise BrokenOffError(str(error.reason)) from error
    except (TimeoutError, ConnectionError, HTTPException, ssl.SSLError) as error:
        raise BrokenOffError(str(error) or type(error).__name__) from error
    if _size(part) < remote.size_bytes:
        raise BrokenOffError("the server closed the connection")


def _object_to_answer(error: urllib.error.HTTPError, url: str, part: Path) -> None:
    if error.code not in TRY_AGAIN:
        raise DataError(f"{url} must be there, the server answered {error.code} {error.reason}") from error
    if error.code == 416:
        part.unlink(missing_ok=True)
    raise BrokenOffError(f"the server answered {error.code} {error.reason}") from error


def require_checksum(remote: RemoteFile, path: Path) -> None:
    """DataError unless the content is what the record publishes."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    if digest.hexdigest() != remote.md5:
        raise DataError(
            f"{path} must have the MD5 {remote.md5} that its record publishes, got {digest.hexdigest()}; remove it "
            "if it is still there, and run the same command again"
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
