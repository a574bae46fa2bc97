"""A local stand-in for Zenodo: a record of small made files, and ways to misbehave."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import unquote


@dataclass(slots=True)
class RecordServer:
    """What is served, how, and what was asked for (path, first byte)."""

    files: dict[str, bytes]
    ranges: bool = True
    cut_after: int | None = None
    cuts: int = 0
    stall: bool = False
    status: dict[str, int] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)
    url: str = ""
    closing: Event = field(default_factory=Event)

    def listing(self) -> bytes:
        entries = [
            {
                "key": name,
                "size": len(content),
                "checksum": self.checksums.get(name, "md5:" + hashlib.md5(content).hexdigest()),
                "links": {"self": "ignored"},
            }
            for name, content in self.files.items()
        ]
        return json.dumps({"id": 7, "title": "made", "files": entries}).encode()


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    """A zip archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def zipped_folder(root: Path, name: str) -> bytes:
    """A zip archive of ROOT/NAME with that folder at its top, as the published ones."""
    files = sorted(path for path in (root / name).rglob("*") if path.is_file())
    return zipped({path.relative_to(root).as_posix(): path.read_bytes() for path in files})


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[RecordServer]:
    """Serve a record until the end of the block."""
    state = RecordServer(dict(files))

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            name = unquote(re.sub(r"^/api/records/\d+(/files/)?", "", self.path).removesuffix("/content"))
            start = int(match.group(1)) if (match := re.match(r"bytes=(\d+)-", self.headers["Range"] or "")) else 0
            state.asked.append((name, start))
            if name in state.status:
                self.send_error(state.status[name])
                return
            content = state.listing() if name == "" else state.files.get(name)
            if content is None:
                self.send_error(404)
            elif start >= len(content) and start and state.ranges:
                self.send_error(416)
            else:
                self._send(content, start if state.ranges else 0, limited=name != "")

        def _send(self, content: bytes, start: int, *, limited: bool) -> None:
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            rest = content[start:]
            if limited and state.cut_after is not None and state.cuts > 0:
                state.cuts -= 1
                rest = rest[: state.cut_after]
            self.wfile.write(rest)
            self.wfile.flush()
            if limited and state.stall:
                state.closing.wait(30)
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.closing.set()
        server.shutdown()
        server.server_close()
