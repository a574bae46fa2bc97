"""A small adb daemon: the transport protocol over TCP, `shell:` by functions and `sync:` into a dictionary.

Packets and services as in the Android sources, docs/dev/{protocol,services,sync}.md of packages/modules/adb.
"""

import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

VERSION, LARGEST = 0x01000000, 4096
HEADER = struct.Struct("<4s5I")

Shell = Callable[[str, "dict[str, bytes]"], bytes | None]


@dataclass
class Stream:
    """One service that the host has opened."""

    remote: int
    service: str
    buffer: bytearray = field(default_factory=bytearray)
    receiving: str | None = None
    content: bytearray = field(default_factory=bytearray)


class AdbDaemon:
    """Answers one host at a time; `shell(command, files)` gives the output, None drops the connection."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.files: dict[str, bytes] = {}
        self.commands: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.serial = f"127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        streams: dict[int, Stream] = {}
        with connection:
            try:
                while self._packet(connection, streams):
                    pass
            except (OSError, EOFError):
                return

    def _packet(self, connection: socket.socket, streams: dict[int, Stream]) -> bool:
        kind, first, second, length, _, _ = HEADER.unpack(_exactly(connection, HEADER.size))
        payload = _exactly(connection, length)
        if kind == b"CNXN":
            _send(connection, b"CNXN", VERSION, LARGEST, b"device::ro.product.model=made up;\0")
        elif kind == b"OPEN":
            stream = Stream(first, payload.rstrip(b"\0").decode())
            number = first + 1000
            streams[number] = stream
            _send(connection, b"OKAY", number, first)
            if stream.service.startswith("shell:"):
                return self._run(connection, number, stream)
        elif kind == b"WRTE" and second in streams:
            _send(connection, b"OKAY", second, first)
            self._sync(connection, second, streams[second], payload)
        elif kind == b"CLSE":
            streams.pop(second, None)
        return True

    def _run(self, connection: socket.socket, number: int, stream: Stream) -> bool:
        command = stream.service.removeprefix("shell:")
        self.commands.append(command)
        output = self.shell(command, self.files)
        if output is None:
            return False
        for start in range(0, len(output), LARGEST):
            _send(connection, b"WRTE", number, stream.remote, output[start : start + LARGEST])
        _send(connection, b"CLSE", number, stream.remote)
        return True

    def _sync(self, connection: socket.socket, number: int, stream: Stream, payload: bytes) -> None:
        stream.buffer += payload
        while len(stream.buffer) >= 8:
            kind, length = struct.unpack("<4sI", stream.buffer[:8])
            held = 0 if kind in (b"DONE", b"QUIT") else length
            if len(stream.buffer) < 8 + held:
                return
            body = bytes(stream.buffer[8 : 8 + held])
            del stream.buffer[: 8 + held]
            if kind == b"QUIT":
                _send(connection, b"CLSE", number, stream.remote)
                return
            answer = self._answer(kind, body, stream)
            for start in range(0, len(answer), LARGEST):
                _send(connection, b"WRTE", number, stream.remote, answer[start : start + LARGEST])

    def _answer(self, kind: bytes, body: bytes, stream: Stream) -> bytes:
        if kind == b"STAT":
            found = self.files.get(body.decode())
            return struct.pack("<4sIII", b"STAT", 0o100644 if found is not None else 0, len(found or b""), 0)
        if kind == b"SEND":
            stream.receiving, stream.content = body.decode().rpartition(",")[0], bytearray()
        elif kind == b"DATA":
            stream.content += body
        elif kind == b"DONE" and stream.receiving is not None:
            self.files[stream.receiving] = bytes(stream.content)
            return struct.pack("<4sI", b"OKAY", 0)
        elif kind == b"RECV":
            content = self.files.get(body.decode(), b"")
            return struct.pack("<4sI", b"DATA", len(content)) + content + struct.pack("<4sI", b"DONE", 0)
        return b""


def _exactly(connection: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        chunk = connection.recv(count - len(content))
        if not chunk:
            raise EOFError
        content += chunk
    return content


def _send(connection: socket.socket, kind: bytes, first: int, second: int, payload: bytes = b"") -> None:
    magic = struct.unpack("<I", kind)[0] ^ 0xFFFFFFFF
    header = HEADER.pack(kind, first, second, len(payload), sum(payload) & 0xFFFFFFFF, magic)
    connection.sendall(header + payload)
