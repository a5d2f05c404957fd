"""Clients who wait for their own answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush

from typing_extensions import override

from replsim.engines.events.clients import Clients, Step, Work
from replsim.randomness import Streams

__all__ = ["ClosedLoop"]


class ClosedLoop(Clients):
    """Clients who wait for their own answers: each has at most ``in_flight`` transactions unanswered.

    One that may not go on waits for the outcome that is decided first; where answers or polls overtake each other,
    another outcome may be known to it a little earlier.
    """

    goes_round = True

    def __init__(
        self,
        work: Work,
        streams: Streams,
        *,
        clients: int,
        think: Callable[[], int],
        in_flight: int = 1,
        poll: int | None = None,
        reads: Callable[[int, int], int] | None = None,
        live: bool = False,
    ) -> None:
        super().__init__(work, streams)
        self.in_order = self.in_order and in_flight == 1
        self._think = think
        self._in_flight = in_flight
        self._poll = poll
        self.polls = poll is not None
        self._reads = reads
        """How long a client's reads after its n-th write take, for users who read before they go on."""
        self._live = live
        """Whether clients read event by event, and are told to `resume` when they have read."""
        self._rounds = [0] * clients
        self._request = None if work.elsewhere else work.network.constant
        self._clients = clients
        self._last: list[int | None] = [None] * clients
        """When each client's last transaction started."""
        self._unused = [in_flight] * clients
        """For clients with several transactions in flight: how many more than ever before each may have,"""
        self._answers: list[list[int]] = [[] for _ in range(clients)] if in_flight > 1 else []
        """and when the outcomes that nobody has waited for yet are known: a heap by client."""
        self._ready: list[int | None] = [None] * clients
        """When a client that may not go on yet would have: it waits for one of its answers."""

    @override
    def first(self) -> Iterator[Step]:
        for client in range(self._clients):
            yield self._go(client, self._think())

    @override
    def next_after(self, step: Step | None) -> Step | None:
        if self._in_flight == 1 or step is None:
            return None
        client = step.client
        ready = step.submitted + self._think()
        if self._unused[client]:
            return self._go(client, ready)
        if self._answers[client]:
            return self._submit_at(client, max(ready, heappop(self._answers[client])))
        self._ready[client] = ready
        return None

    @override
    def answered(self, done: Step, learned: int) -> Step | None:
        client = done.client
        if self._live:
            return None
        if self._in_flight == 1:
            return self._submit_at(client, learned + self._pause(client))
        ready = self._ready[client]
        if ready is None:
            heappush(self._answers[client], learned)
            return None
        self._ready[client] = None
        return self._submit_at(client, max(ready, learned))

    @override
    def given_up(self, done: Step, learned: int, pause: int = 0) -> Step | None:
        later = super().given_up(done, learned, pause)
        # Nobody reads after a write that failed.
        return self.resume(done.client, learned + pause) if later is None and self._live else later

    def resume(self, client: int, time: int) -> Step:
        """A client has read, and goes on with its next write."""
        return self._submit_at(client, time + self._think())

    @override
    def times(self, done: Step, visible: int) -> tuple[int, int]:
        acknowledged, learned = super().times(done, visible)
        if self._poll is not None:
            # A poll travels as the commit's own request and answer did; the first to find the outcome brings it.
            request = done.request if self._request is None else self._request
            wait = max(visible - done.submitted - request, 0)
            polls = max(1, -(-wait // self._poll))
            learned = done.submitted + polls * self._poll + request + acknowledged - visible
        return acknowledged, learned

    @override
    def waiting(self, until: int) -> Iterator[Step]:
        return iter(())

    def _pause(self, client: int) -> int:
        """What a blocking client does between an answer and its next write: it reads, and it thinks."""
        if self._reads is None:
            return self._think()
        nth = self._rounds[client]
        self._rounds[client] += 1
        return self._reads(client, nth) + self._think()

    def _go(self, client: int, time: int) -> Step:
        self._unused[client] -= 1
        return self._submit_at(client, time)

    def _submit_at(self, client: int, time: int) -> Step:
        before, self._last[client] = self._last[client], time
        return self._submit(client, time, time, before)
