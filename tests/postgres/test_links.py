"""The links of a real cluster, on real sockets: delays, order, cuts and resets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

import replsim
from replsim.engines.postgres.channel import Worker
from replsim.engines.postgres.job import pack
from replsim.engines.postgres.proxy import Job
from replsim.engines.postgres.workspace import Workspace

SCENARIO = """
name: links
duration: 1s
standbys: {s1: {}}
links:
  p -> s1: {latency: 30ms, jitter: {uniform: {low: 0ms, high: 20ms}}}
  s1 -> p: {latency: 10ms}
writers: {app: {rate: 1/s}}
"""
PAIR = ("p", "s1")


class Link:
    """A link with somebody at each end: the upstream ``far``, the standby ``near``."""

    def __init__(self, workspace: Workspace) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        job = Job(pack(replsim.loads(SCENARIO)), 1, (PAIR,))
        self.worker = Worker(workspace, "replsim.engines.postgres.proxy")
        self.worker.give(time.time_ns(), job)
        self._port = self.worker.answer()[PAIR]
        self.worker.ask("serve", "p", self._server.getsockname()[1])
        self.connect()

    def connect(self) -> None:
        """A standby connects to its upstream."""
        self.near = self.try_again()
        self.far, _ = self._server.accept()
        self.far.settimeout(10)

    def try_again(self) -> socket.socket:
        """A standby's connection to the proxy, whether or not it leads further."""
        return socket.create_connection(("127.0.0.1", self._port), timeout=10)

    def close(self) -> None:
        """Hang up."""
        for end in (self.near, self.far, self._server):
            end.close()


@pytest.fixture
def link(workspace: Workspace) -> Iterator[Link]:
    """A link from p to s1: 30 to 50 ms there, 10 ms back."""
    made = Link(workspace)
    yield made
    made.close()


def trip(source: socket.socket, sink: socket.socket) -> float:
    """The seconds that a byte takes."""
    start = time.monotonic()
    source.sendall(b"x")
    assert sink.recv(1) == b"x"
    return time.monotonic() - start


def test_each_direction_has_its_own_delay(link: Link) -> None:
    """Nothing arrives before its way's latency is over; the quickest of a few is not much later."""
    there = [trip(link.far, link.near) for _ in range(8)]
    back = [trip(link.near, link.far) for _ in range(8)]
    assert min(there) > 0.0299
    assert 0.0099 < min(back) < 0.0299


def test_jitter_delays_and_never_reorders(link: Link) -> None:
    """What is sent in small pieces over 20 ms of jitter arrives whole and in order."""
    sent = bytes(range(256)) * 20
    received = bytearray()

    def receive() -> None:
        while len(received) < len(sent):
            received.extend(link.near.recv(4096))

    reader = threading.Thread(target=receive)
    reader.start()
    for at in range(0, len(sent), 128):
        link.far.sendall(sent[at : at + 128])
        time.sleep(0.001)
    reader.join(20)
    assert bytes(received) == sent


def test_a_silent_cut_holds_everything_until_it_heals(link: Link) -> None:
    """Over a link that is cut silently nothing comes, and nobody is told; what was held comes once it heals."""
    link.worker.ask("cut", PAIR, 0, True, False)
    link.far.sendall(b"held")
    link.near.settimeout(0.3)
    with pytest.raises(TimeoutError):
        link.near.recv(4)
    link.near.settimeout(10)
    link.worker.ask("heal", PAIR, 0)
    assert link.near.recv(4) == b"held"


def test_a_reset_cut_tells_both_ends_and_lets_nobody_in(link: Link) -> None:
    """A reset breaks the connection and refuses the next one until the link has healed."""
    link.worker.ask("cut", PAIR, 0, True, True)
    for end in (link.near, link.far):
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    with pytest.raises(ConnectionResetError), link.try_again() as refused:
        refused.recv(1)
    link.worker.ask("heal", PAIR, 0)
    link.near.close()
    link.far.close()
    link.connect()
    assert trip(link.near, link.far) > 0.0099
