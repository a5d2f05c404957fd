"""One direction of one connection through a link: it reads, holds what it read for as long as the link takes, and
hands it on."""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from replsim.engines.postgres.ear import Ear, Report, Wal
from replsim.engines.postgres.loop import LATE, Loop
from replsim.engines.postgres.way import Way

__all__ = ["HandedOn", "Pump"]

CHUNK: Final = 1 << 18
"""The most that is read at once: more than a walsender's largest message (128 kB)."""

HandedOn = Callable[[int], None]
Heard = Callable[[Wal | Report, int], HandedOn]
"""Is told what has been said, and when it was read; what it gives is told when it was handed on."""


class Piece(NamedTuple):
    """What was read at once; no data stands for the end of the stream."""

    due: int
    data: bytes
    said: list[HandedOn]


class Pump:
    """Moves bytes from ``source`` to ``sink``, each piece when the ``way`` says that it arrives."""

    def __init__(
        self,
        loop: Loop,
        source: socket.socket,
        sink: socket.socket,
        way: Way,
        ear: Ear,
        heard: Heard,
        ended: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._source = source
        self._sink = sink
        self._way = way
        self._ear = ear
        self._heard = heard
        self._ended = ended
        self._pieces: deque[Piece] = deque()
        self._unsent = bytearray()
        self._held = False
        self._expected = False
        """Whether `_deliver` is to be called already."""
        loop.on_readable(source.fileno(), self._read)

    def hold(self, held: bool, *, drop: bool = False) -> None:
        """Hand nothing on, whatever arrives, until told otherwise; ``drop`` loses what is on its way."""
        self._held = held
        if drop:
            self._pieces.clear()
        self._expect()

    def close(self) -> None:
        """Take no more part in the loop."""
        for end in (self._source, self._sink):
            if end.fileno() >= 0:
                self._loop.on_readable(end.fileno(), None)
                self._loop.on_writable(end.fileno(), None)
        self._held = True

    def _read(self) -> None:
        try:
            data = self._source.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        now = self._loop.now()
        if not data:
            self._loop.on_readable(self._source.fileno(), None)
        said = [self._heard(each, now) for each in self._ear.hear(data)]
        self._pieces.append(Piece(self._way.due(now, len(data)), data, said))
        self._expect()

    def _expect(self) -> None:
        """Come when the next piece is due."""
        if self._pieces and not self._held and not self._expected:
            self._expected = True
            self._loop.at(self._pieces[0].due, self._deliver)

    def _deliver(self) -> None:
        self._expected = False
        now = self._loop.now()
        while self._pieces and self._pieces[0].due <= now + LATE and not self._held:
            piece = self._pieces.popleft()
            if not piece.data:
                self._ended()
                return
            self._send(piece.data)
            for handed_on in piece.said:
                handed_on(now)
        self._expect()

    def _send(self, data: bytes) -> None:
        """Write what the other side takes now, and the rest when it takes more."""
        if not self._unsent:
            with contextlib.suppress(OSError):
                data = data[self._sink.send(data) :]
        if data:
            self._unsent += data
            self._loop.on_writable(self._sink.fileno(), self._send_rest)

    def _send_rest(self) -> None:
        try:
            del self._unsent[: self._sink.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()
        if not self._unsent:
            self._loop.on_writable(self._sink.fileno(), None)
