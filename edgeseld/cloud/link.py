"""A network of a certain quality between client and server: a relay on this machine that delays and narrows.

It stands in for shaped_link.py where the kernel permits no shaping; TCP's own reactions to loss are not shown.
"""

import asyncio
import contextlib
import math
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

CHUNK_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Link:
    """Rates in bits per second, time there and back in seconds; a lost link takes connections and never answers."""

    up_bps: float
    down_bps: float
    round_trip_s: float
    lost: bool = False


# Round figures of our own choice, to compare strategies by; not measured on any network.
LINKS = {
    "4g": Link(up_bps=8e6, down_bps=25e6, round_trip_s=0.05),
    "poor": Link(up_bps=0.5e6, down_bps=1e6, round_trip_s=0.4),
    "lost": Link(up_bps=1.0, down_bps=1.0, round_trip_s=0.0, lost=True),
}


# Passes on what comes: for a relay behind a link that is shaped already.
FREE = Link(up_bps=math.inf, down_bps=math.inf, round_trip_s=0.0)


@contextlib.contextmanager
def relay(url: str, link: Link) -> Iterator[str]:
    """The URL of a relay to `url` over the link."""
    with relay_behind(socket.create_server(("127.0.0.1", 0)), url, link) as own:
        yield own


@contextlib.contextmanager
def relay_behind(listening: socket.socket, url: str, link: Link) -> Iterator[str]:
    """The same behind a socket that listens already; it is closed at the end."""
    target = urlsplit(url)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    host, port = target.hostname or "127.0.0.1", target.port or 80

    async def start() -> asyncio.Server:
        return await asyncio.start_server(lambda r, w: _carry(r, w, host, port, link), sock=listening)

    own_host, own_port = listening.getsockname()
    server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield f"http://{own_host}:{own_port}"
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    carrying = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in carrying:
        task.cancel()
    await asyncio.gather(*carrying, return_exceptions=True)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, link: Link) -> None:
    """One connection; its handshake takes a round trip."""
    with contextlib.suppress(OSError, asyncio.CancelledError):
        async with _closing(writer):
            if link.lost:
                while await reader.read(CHUNK_BYTES):
                    pass
                return
            await asyncio.sleep(link.round_trip_s)
            far_reader, far_writer = await asyncio.open_connection(host, port)
            async with _closing(far_writer):
                await asyncio.gather(
                    _pump(reader, far_writer, link.up_bps, link.round_trip_s / 2),
                    _pump(far_reader, writer, link.down_bps, link.round_trip_s / 2),
                )


@contextlib.asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Closed for good at the end, so that the loop can stop."""
    try:
        yield
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bps: float, delay_s: float) -> None:
    """Bytes leave at the rate of the link and arrive `delay_s` later; sending and arriving overlap."""
    arriving: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    async def arrive() -> None:
        while True:
            at, chunk = await arriving.get()
            await asyncio.sleep(max(at - loop.time(), 0.0))
            if not chunk:
                break
            writer.write(chunk)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

    delivery = asyncio.create_task(arrive())
    free = loop.time()
    try:
        while chunk := await reader.read(CHUNK_BYTES):
            free = max(free, loop.time()) + 8 * len(chunk) / bps
            arriving.put_nowait((free + delay_s, chunk))
            await asyncio.sleep(max(free - loop.time(), 0.0))
        arriving.put_nowait((loop.time() + delay_s, b""))
        await delivery
    finally:
        delivery.cancel()
