"""Links shaped by the kernel: what `ip` and `tc` are told, what happens where they refuse, and real ones.

Where this kernel has no netem, that of Debian's user-mode-linux does, with its root on hostfs.
"""

import os
import stat
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from edgeseld.cloud.link import Link
from edgeseld.cloud.shaped_link import BY_KERNEL, over_link

LINK = Link(up_bps=1e6, down_bps=25e6, round_trip_s=0.1)
LOST = Link(up_bps=1.0, down_bps=1.0, round_trip_s=0.0, lost=True)
BODY = bytes(50_000)
OVER_LINK_S = 8 * len(BODY) / LINK.up_bps + LINK.round_trip_s


class Counting(BaseHTTPRequestHandler):
    """Answers with the length of what was sent."""

    def do_POST(self) -> None:
        answer = str(len(self.rfile.read(int(self.headers["Content-Length"])))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing on stderr."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Counting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Tools:
    """`ip` and `tc` that note how they are called; those in `refusing` fail with what they say."""

    def __init__(self, folder: Path, **refusing: str) -> None:
        self.log = folder / "log"
        for tool in ("ip", "tc"):
            end = f"echo '{refusing[tool]}' >&2; exit 2" if tool in refusing else ""
            (folder / tool).write_text(f'#!/bin/sh\necho "{tool} $*" >> {self.log}\n{end}\n')
            (folder / tool).chmod((folder / tool).stat().st_mode | stat.S_IXUSR)

    def calls(self) -> list[str]:
        """Command lines, the number of the process left out."""
        return self.log.read_text().replace(str(os.getpid()), "N").splitlines()


def test_the_kernel_is_told_delay_and_rate_of_each_direction(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = Tools(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with over_link(url, LINK):
        pass
    calls = tools.calls()
    assert calls[0] == "ip netns add edgeseld-N"
    assert [call for call in calls if call.startswith("tc")] == [
        "tc qdisc add dev seldNa root netem delay 50ms rate 1000000bit",
        "tc -n edgeseld-N qdisc add dev seldNb root netem delay 50ms rate 25000000bit",
    ]
    assert calls[-2:] == ["ip link delete seldNa", "ip netns delete edgeseld-N"]


def test_a_lost_link_loses_every_packet(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = Tools(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with over_link(url, LOST):
        pass
    assert all(call.endswith("netem loss 100%") for call in tools.calls() if call.startswith("tc"))
    assert sum(call.startswith("tc") for call in tools.calls()) == 2


@pytest.mark.parametrize(
    ("refusing", "reason"),
    [
        ({"ip": "mkdir /run/netns failed: Permission denied"}, "ip says 'mkdir /run/netns failed: Permission denied'"),
        ({"tc": "Error: Specified qdisc kind is unknown."}, "tc says 'Error: Specified qdisc kind is unknown.'"),
        # The tools made nothing, so the namespace cannot be entered.
        ({}, "No such file or directory"),
    ],
)
def test_where_the_kernel_refuses_the_relay_imitates_and_the_reason_is_given(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusing: dict[str, str], reason: str
) -> None:
    tools = Tools(tmp_path, **refusing)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with over_link(url, LINK) as imitation:
        assert imitation.means.startswith("a delaying relay, as netem is not permitted: ")
        assert reason in imitation.means
        if "ip" not in refusing:
            assert tools.calls()[-1] == "ip netns delete edgeseld-N"
        started = time.monotonic()
        assert httpx.post(imitation.url, content=BODY, timeout=60.0).text == str(len(BODY))
        assert time.monotonic() - started > OVER_LINK_S


def test_without_iproute2_the_reason_names_its_package(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with over_link(url, LINK) as imitation:
        assert "ip is not installed (apt-get install iproute2)" in imitation.means


def test_a_real_link_delays_narrows_and_loses(url: str) -> None:
    with over_link(url, LINK) as imitation:
        if imitation.means != BY_KERNEL:
            pytest.skip(f"needs Linux, root and netem; here {imitation.means}")
        started = time.monotonic()
        assert httpx.post(imitation.url, content=BODY, timeout=60.0).text == str(len(BODY))
        assert time.monotonic() - started > OVER_LINK_S
    # A second one in the same process, after the first is gone.
    with over_link(url, LOST) as imitation:
        assert imitation.means == BY_KERNEL
        with pytest.raises(httpx.ConnectTimeout):
            httpx.post(imitation.url, content=BODY, timeout=0.5)
