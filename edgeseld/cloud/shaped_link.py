"""A network of a certain quality by the kernel: a pair of interfaces into a network namespace, shaped by netem.

Only a socket lives in the namespace; behind it a relay passes bytes on to the server as fast as they come. Delay, rate
and loss lie between client and socket, so TCP starts slowly, queues and retransmits as over a real link of that kind.
Needs Linux, root, and a kernel with veth and netem; where one is missing, the relay imitates the link by itself.
"""

import contextlib
import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from edgeseld.cloud.link import FREE, Link, relay_behind

BY_KERNEL = "netem in a network namespace"
NAMESPACES = Path("/run/netns")
CLONE_NEWNET = 0x40000000
# Known beforehand, so that no first packet waits for a question about them.
MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02")


@dataclass(frozen=True, slots=True)
class Imitation:
    """A URL that leads over the link, and what imitates the link, with the kernel's reason where it is not netem."""

    url: str
    means: str


class _NotPermittedError(Exception):
    """The kernel, or this user's rights, do not allow a shaped link; the message is what the tool or kernel said."""


@contextlib.contextmanager
def over_link(url: str, link: Link) -> Iterator[Imitation]:
    """`url` over the link: by the kernel where it permits that, by the relay alone anywhere else."""
    with contextlib.ExitStack() as stack:
        try:
            listening, carrying, means = stack.enter_context(_shaped_socket(link)), FREE, BY_KERNEL
        except _NotPermittedError as reason:
            listening, carrying = socket.create_server(("127.0.0.1", 0)), link
            means = f"a delaying relay, as netem is not permitted: {reason}"
        yield Imitation(stack.enter_context(relay_behind(listening, url, carrying)), means)


@contextlib.contextmanager
def _shaped_socket(link: Link) -> Iterator[socket.socket]:
    """A listening socket at the far end of the link."""
    number = os.getpid()
    name, near, far = f"edgeseld-{number}", f"seld{number}a", f"seld{number}b"
    # 198.18.0.0/15 is kept for benchmarks by RFC 2544; four addresses for each process.
    base = f"198.18.{number // 64 % 256}."
    ours, theirs = (f"{base}{4 * (number % 64) + host}" for host in (1, 2))
    _ip("netns", "add", name)
    try:
        _ip("link", "add", near, "address", MACS[0], "type", "veth", "peer", far, "address", MACS[1], "netns", name)
        _bring_up([], near, ours, theirs, MACS[1])
        _bring_up(["-n", name], far, theirs, ours, MACS[0])
        _tc("qdisc", "add", "dev", near, "root", "netem", *_netem(link, link.up_bps))
        _tc("-n", name, "qdisc", "add", "dev", far, "root", "netem", *_netem(link, link.down_bps))
        with ThreadPoolExecutor(1) as apart:
            listening = apart.submit(_listen_inside, name, theirs).result()
        yield listening
    finally:
        # A namespace lingers after its deletion, and would keep the names of the interfaces from the next link.
        for words in (("link", "delete", near), ("netns", "delete", name)):
            with contextlib.suppress(_NotPermittedError):
                _ip(*words)


def _netem(link: Link, bps: float) -> list[str]:
    """One direction: half of the round trip."""
    if link.lost:
        return ["loss", "100%"]
    return ["delay", f"{1e3 * link.round_trip_s / 2:g}ms", "rate", f"{bps:.0f}bit"]


def _bring_up(place: list[str], device: str, own: str, other: str, other_mac: str) -> None:
    _ip(*place, "address", "add", f"{own}/30", "dev", device)
    _ip(*place, "link", "set", device, "up")
    _ip(*place, "neigh", "add", other, "lladdr", other_mac, "dev", device, "nud", "permanent")


def _listen_inside(name: str, address: str) -> socket.socket:
    """Called in a thread of its own, which never leaves the namespace; the socket stays there too."""
    library = ctypes.CDLL(None, use_errno=True)
    try:
        with (NAMESPACES / name).open("rb") as namespace:
            if library.setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns: {os.strerror(ctypes.get_errno())}")
        return socket.create_server((address, 0))
    except OSError as error:
        raise _NotPermittedError(str(error)) from error


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _tc(*arguments: str) -> None:
    _run("tc", *arguments)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise _NotPermittedError(f"{command[0]} is not installed (apt-get install iproute2)") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().partition("\n")[0]
        raise _NotPermittedError(f"{command[0]} says {said!r}")
