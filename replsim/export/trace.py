"""A stretch of a run as a trace in Chrome's JSON format, for Perfetto (ui.perfetto.dev) or chrome://tracing.

Each node is a process with a track for its flushes and one for its replay; WAL is an arrow from the node that sent it
to the one that received it; each commit is a span of its own among the clients', with its parts inside; and the lag
of each standby is a counter.  Source: the Trace Event Format, phases X, s and f, b and e, C and M.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from replsim.analysis import series
from replsim.analysis.breakdown import PARTS, breakdown
from replsim.analysis.devices import flushes
from replsim.analysis.facts import Facts
from replsim.errors import NotInResult
from replsim.record import answered
from replsim.scenario import Scenario
from replsim.units import NEVER, SECOND, format_duration

if TYPE_CHECKING:
    from replsim.result import Result

__all__ = ["MOST_EVENTS", "stretch", "trace"]

MOST_EVENTS: Final = 100_000
"""The most events of a trace: a viewer takes that many without pain."""
CLIENTS: Final = 1
"""The process of the clients; the nodes' follow it."""
FLUSH: Final = 1
REPLAY: Final = 2
"""The tracks of a node."""
COUNTED: Final = 500
"""The most points of a counter."""

Event = dict[str, Any]


def stretch(scenario: Scenario, start: float, end: float | None) -> tuple[int, int]:
    """From when to when (nanoseconds) a run is traced.  Raises `NotInResult` where that is no time at all."""
    first, last = round(start * SECOND), scenario.duration if end is None else round(end * SECOND)
    if not 0 <= first < min(last, scenario.duration):
        length = format_duration(scenario.duration)
        raise NotInResult(f"nothing to trace from {first / SECOND:g} s to {last / SECOND:g} s: the run takes {length}")
    return first, min(last, scenario.duration)


def trace(result: Result, *, start: float = 0.0, end: float | None = None, most: int = MOST_EVENTS) -> str:
    """The JSON text of the run from ``start`` to ``end`` (seconds), of what begins and ends in it.

    Where that is more than ``most`` events, the end is brought forward, and the trace says so (``otherData``).  Raises
    `NotInResult` where the run has no such time.
    """
    facts = result.facts
    first, wanted = stretch(result.scenario, start, end)
    last = _affordable(facts, first, wanted, most)
    told: dict[str, Any] = {"scenario": result.scenario.name, "seed": result.seed, "engine": result.engine}
    if last < wanted:
        told["cut"] = f"only up to {last / SECOND:g} s: more would be over {most} events"
    events = sorted(_events(facts, first, last), key=lambda event: event["ts"])
    return json.dumps({"traceEvents": [*_names(facts), *events], "displayTimeUnit": "ms", "otherData": told})


def _affordable(facts: Facts, first: int, last: int, most: int) -> int:
    """The latest end up to ``last`` for which there are no more than ``most`` events, counted before any is made."""
    scenario = facts.record.scenario
    ends = [np.repeat(facts.record.commits["acknowledged"], 2 * len(PARTS) + 2)]
    ends += [flushes(facts.record, name)[1] for name in scenario.nodes]
    for name in scenario.standbys:
        ends += [np.repeat(facts.record.position(name, "sent").time, 2), facts.reached(name, "apply")]
    within = np.sort(np.concatenate([times[(times >= first) & (times <= last)] for times in ends]))
    room = max(most - COUNTED * len(scenario.standbys), 1)
    return int(within[room]) - 1 if len(within) > room else last


def _names(facts: Facts) -> Iterator[Event]:
    """What processes and tracks are called, and their order."""
    for pid, name in enumerate(("clients", *facts.record.scenario.nodes), CLIENTS):
        yield {"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": name}}
        yield {"ph": "M", "name": "process_sort_index", "pid": pid, "tid": 0, "args": {"sort_index": pid}}
    for place, name in enumerate(facts.record.scenario.nodes):
        tracks = {FLUSH: "flush"} | ({REPLAY: "replay"} if name in facts.record.scenario.standbys else {})
        for tid, track in tracks.items():
            yield {"ph": "M", "name": "thread_name", "pid": CLIENTS + 1 + place, "tid": tid, "args": {"name": track}}


def _events(facts: Facts, first: int, last: int) -> Iterator[Event]:
    scenario = facts.record.scenario
    pids = {name: CLIENTS + 1 + place for place, name in enumerate(scenario.nodes)}
    for name, pid in pids.items():
        for begun, done in zip(*flushes(facts.record, name), strict=True):
            if first <= begun and done <= last:
                yield _span("flush", pid, FLUSH, int(begun), int(done))
    for name in scenario.standbys:
        yield from _wal(facts, name, pids, first, last)
        yield from _replay(facts, name, pids[name], first, last)
        yield from _lag(facts, name, pids[name], first, last)
    yield from _commits(facts, first, last)


def _span(name: str, pid: int, tid: int, begun: int, done: int) -> Event:
    return {"ph": "X", "name": name, "pid": pid, "tid": tid, "ts": begun / 1e3, "dur": (done - begun) / 1e3}


def _wal(facts: Facts, name: str, pids: dict[str, int], first: int, last: int) -> Iterator[Event]:
    """An arrow a message: from the upstream's flush track to the standby's."""
    sent, received = facts.record.position(name, "sent"), facts.record.position(name, "receive")
    arrived = received.crossing(sent.lsn)
    upstream = pids[facts.record.scenario.upstream(name)]
    for number in np.flatnonzero((sent.time >= first) & (arrived <= last)).tolist():
        arrow = {"name": "WAL", "cat": "wal", "id": f"{name}:{number}", "tid": FLUSH}
        yield {"ph": "s", "pid": upstream, "ts": int(sent.time[number]) / 1e3, **arrow}
        yield {"ph": "f", "bp": "e", "pid": pids[name], "ts": int(arrived[number]) / 1e3, **arrow}


def _replay(facts: Facts, name: str, pid: int, first: int, last: int) -> Iterator[Event]:
    """A span a commit: from its flush there, or the end of the replay before it, to its apply."""
    applied, flushed = facts.reached(name, "apply"), facts.reached(name, "flush")
    begun = np.maximum(flushed, np.concatenate([[0], applied])[: len(applied)])
    for row in np.flatnonzero((begun >= first) & (applied <= last) & (applied < NEVER)).tolist():
        yield _span(f"commit {row}", pid, REPLAY, int(begun[row]), int(applied[row]))


def _lag(facts: Facts, name: str, pid: int, first: int, last: int) -> Iterator[Event]:
    lag = series.lag(facts, name, "bytes").thinned(COUNTED)
    for time, value in zip(lag.time.tolist(), lag.value.tolist(), strict=True):
        if first <= round(time * SECOND) <= last:
            yield {"ph": "C", "name": "lag (bytes)", "pid": pid, "ts": time * 1e6, "args": {"bytes": value}}


def _commits(facts: Facts, first: int, last: int) -> Iterator[Event]:
    """A span a commit, with a span for each of its parts inside."""
    commits = facts.record.commits
    chosen = answered(commits["outcome"]) & (commits["submitted"] >= first) & (commits["acknowledged"] <= last)
    found = breakdown(facts, np.flatnonzero(chosen))
    for place, row in enumerate(found.rows.tolist()):
        time = int(commits["submitted"][row])
        own = {"cat": "commit", "id": row, "pid": CLIENTS, "tid": 0}
        writer = commits.words["writer"][commits["writer"][row]]
        told = {"writer": writer, "lsn": int(commits["lsn"][row]), "bytes": int(commits["bytes"][row])}
        name = f"{writer} {row}"
        yield {"ph": "b", "name": name, "ts": time / 1e3, "args": told, **own}
        for part, times in found.parts.items():
            lasted = int(times[place])
            if lasted:
                yield {"ph": "b", "name": part, "ts": time / 1e3, **own}
                time += lasted
                yield {"ph": "e", "name": part, "ts": time / 1e3, **own}
        yield {"ph": "e", "name": name, "ts": time / 1e3, **own}
