"""The primary: what is inserted becomes flushes."""

from __future__ import annotations

from typing import Final

import numpy as np

from replsim.engines.stages.actors import feed
from replsim.engines.stages.columns import chained, cut
from replsim.engines.stages.kernels import primary_flush as kernel
from replsim.engines.stages.troubles import Troubles
from replsim.randomness import Streams
from replsim.scenario import Scenario

__all__ = ["Primary"]

ROOM: Final = 4096
"""The fewest flushes that one call of the kernel has room for."""


class Primary:
    """The primary's lock, disk and WAL writer."""

    def __init__(self, scenario: Scenario, streams: Streams, troubles: Troubles, *, has_writer: bool) -> None:
        primary, settings, background = scenario.primary, scenario.settings, scenario.background
        self._rules = kernel.Rules(
            wakeup=scenario.wakeup,
            bandwidth=primary.wal_device.bandwidth or 0,
            commit_delay=primary.commit_delay,
            commit_siblings=primary.commit_siblings,
            writer_delay=primary.wal_writer_delay if has_writer else 0,
            page=settings.page_bytes,
            pages=primary.wal_writer_flush_after // settings.page_bytes,
            background=background.wal if background else 0,
            background_record=background.record if background else 1,
            device=troubles.device(primary.name),
        )
        self._write = feed.draws(streams, f"disk:{primary.name}:write", primary.wal_device.write)
        self._flush = feed.draws(streams, f"disk:{primary.name}:flush", primary.wal_device.flush)
        self._state = kernel.initial(self._rules)
        self._waiting: kernel.Inserts | None = None

    def run(self, inserts: kernel.Inserts, horizon: int) -> kernel.Flushes:
        """The flushes that begin and end before ``horizon``, by which all ``inserts`` are known."""
        if self._waiting is not None:
            inserts = chained([self._waiting, inserts])
        found: list[kernel.Flushes] = []
        room = max(ROOM, len(inserts.time))
        enough = False
        while not enough:
            costs = kernel.Draws(self._write.at_least(room)[:room], self._flush.at_least(room)[:room])
            out = kernel.Flushes(*(np.empty(room + 1, dtype=np.int64) for _ in range(3)))
            s = self._state.copy()
            enough = kernel.primary_flush(s, inserts, horizon, costs, self._rules, out)
            used, ended = int(s[kernel.USED]), int(s[kernel.ENDED])
            found.append(kernel.Flushes(out.starts[:used], out.ends[:ended], out.targets[:ended]))
            self._write.used(used)
            self._flush.used(used)
            taken, begun = int(s[kernel.TAKEN]), int(s[kernel.BEGUN])
            inserts = cut(inserts, slice(taken, None))._replace(begins=inserts.begins[begun:])
            s[[kernel.TAKEN, kernel.BEGUN, kernel.USED, kernel.ENDED]] = 0
            self._state = s
        self._waiting = inserts
        return chained(found)
