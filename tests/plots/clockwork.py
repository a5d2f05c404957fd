"""A cluster in which everything is constant, so that every number of every figure can be worked out by hand.

A commit comes every 100 ms.  It takes 1 ms of flush, 5 ms to ``near`` (20 ms to ``far``), 2 ms of flush there, and the
way back: 13 ms, as ``near`` answers first.  ``near`` applies it 8 ms after its insert, ``far`` 24 ms after: 1 + 20 + 2
and 1 ms of replay.  Reads come every 5 ms, by turns on both.
"""

from __future__ import annotations

from typing import Any

import replsim

__all__ = ["clockwork"]

CLOCKWORK: dict[str, Any] = {
    "name": "clockwork",
    "duration": "2s",
    "warmup": "500ms",
    "wakeup": "0s",
    "primary": {
        "wal_device": {"flush": "1ms", "write": "0s"},
        "synchronous_standby_names": "ANY 1 (near, far)",
    },
    "standbys": {
        "near": {"wal_device": {"flush": "2ms", "write": "0s"}, "replay": {"per_record": "0s"}},
        "far": {"wal_device": {"flush": "2ms", "write": "0s"}, "replay": {"per_record": "1ms"}},
    },
    "links": {"p -> near": {"latency": "5ms"}, "p -> far": {"latency": "20ms"}},
    "writers": {"app": {"arrivals": "deterministic", "rate": "10/s"}},
    "readers": {"web": {"arrivals": "deterministic", "rate": "200/s", "route": "round_robin"}},
}


def clockwork(**changes: Any) -> replsim.Result:
    """A run of the clockwork, with some of its top-level fields changed."""
    return replsim.run(replsim.Scenario.model_validate(CLOCKWORK | changes))
