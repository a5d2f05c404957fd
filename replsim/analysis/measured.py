"""Lag as the servers themselves report it, beside which the true lag can be held.

``measured_lag.*`` is what ``pg_stat_replication`` shows on a standby's upstream; it includes the reply's way
back.  ``exporter_lag.*`` is what monitoring usually asks the standby: ``now()`` minus
``pg_last_xact_replay_timestamp()``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis import clocks
from replsim.analysis.facts import Facts
from replsim.analysis.lagtracker import lags, shown
from replsim.analysis.names import spread
from replsim.analysis.registry import measures
from replsim.analysis.weighted import Ramps, Steps
from replsim.kernels import worth_compiling
from replsim.kernels.places import looked_up, plain, union
from replsim.record import Record
from replsim.units import NEVER, SECOND

__all__ = ["measured_lag"]

Ints = NDArray[np.int64]

STATISTICS: Final = ("mean", "p50", "p99", "max")
WORST: Final = "for the cluster, the largest of all standbys'"


def measured_lag(record: Record, node: str) -> dict[str, tuple[Ints, Ints]]:
    """What the view shows of a standby: for ``write``, ``flush`` and ``replay``, times and values from then on.

    Both in nanoseconds; -1 stands for NULL, which is also shown before the first reply.  The notes of the
    walsender are taken at each of its sends, at the upstream's flush position then: a pass of more than one
    message notes where it will end.
    """
    replies, sent = record.replies[node], record.position(node, "sent")
    flushed = record.position(record.scenario.upstream(node), "flush").at(sent.time)
    position = np.maximum(sent.lsn, flushed)
    new = np.diff(position, prepend=0) > 0
    found = lags((sent.time[new], position[new]), replies.time, (replies.write, replies.flush, replies.apply))
    all_applied = replies.apply == sent.at(replies.time)
    names = ("write", "flush", "replay")
    return {name: (replies.time, shown(lag, all_applied)) for name, lag in zip(names, found, strict=True)}


@measures(
    *(
        spec
        for column in ("write", "flush", "replay")
        for spec in spread(
            f"measured_lag.{column}",
            "s",
            STATISTICS,
            f"{column}_lag as pg_stat_replication shows it on the standby's upstream, while it shows one ({WORST})",
            over_time=True,
        )
    ),
    per=("standby",),
    overall="largest",
)
def measured(facts: Facts, node: str | None) -> Mapping[str, float]:
    """The three lag columns of the view, over the time during which they are not NULL."""
    assert node is not None
    found = {}
    for column, (time, value) in measured_lag(facts.record, node).items():
        steps = Steps.between(time, value, *facts.window, before=-1)
        not_null = _not_null(steps)
        for name, number in not_null.statistics(STATISTICS, SECOND).items():
            found[f"measured_lag.{column}.{name}"] = number
    return found


def _not_null(steps: Steps) -> Steps:
    """What it was while it had a value: as a rule from the first on, and then nothing is copied."""
    first = int(np.argmax(steps.value >= 0)) if len(steps.value) else 0
    value, weight = steps.value[first:], steps.weight[first:]
    shows = value >= 0
    return Steps(value, weight) if shows.all() else Steps(value[shows], weight[shows])


@measures(
    *spread(
        "exporter_lag",
        "s",
        STATISTICS,
        "now() - pg_last_xact_replay_timestamp() on the standby, with the usual guard that makes it 0 while all WAL "
        f"received (and flushed) there is replayed, from its first replayed commit on ({WORST})",
        note="The guard hides real lag while the link is down. A skew of the clocks bends it, though never below 0.",
        over_time=True,
    ),
    *spread(
        "exporter_lag_unguarded",
        "s",
        STATISTICS,
        f"now() - pg_last_xact_replay_timestamp() on the standby, from its first replayed commit on ({WORST})",
        note="It grows on an idle system, and a skew of the clocks bends it.",
        over_time=True,
    ),
    per=("standby",),
    overall="largest",
)
def exporter(facts: Facts, node: str | None) -> Mapping[str, float]:
    """What an exporter sees on the standby: the age of the last commit replayed, a sawtooth."""
    assert node is not None
    bare, guarded = _ages_compiled(facts, node) if _is_simple(facts, node) else _ages(facts, node)
    applied = facts.reached(node, "apply")
    since = max(facts.window[0], int(applied[0]) if len(applied) else NEVER)
    rest = max(facts.window[1] - since - guarded.total, 0)
    guarded = Ramps(guarded.start, guarded.low, guarded.high, rest)
    found = {f"exporter_lag.{name}": value for name, value in guarded.statistics(STATISTICS).items()}
    return found | {f"exporter_lag_unguarded.{name}": value for name, value in bare.statistics(STATISTICS).items()}


def _is_simple(facts: Facts, node: str) -> bool:
    """Whether the standby's clock is right, and a compiled loop does it."""
    return not len(clocks.changes(facts, node)) and worth_compiling(facts.count)


def _ages_compiled(facts: Facts, node: str) -> tuple[Ramps, Ramps]:
    """As `_ages`, for a standby whose clock is right."""
    from replsim.analysis import loops

    applied = facts.reached(node, "apply")
    applied = applied[: int(np.searchsorted(applied, NEVER))]
    flush, apply = facts.record.position(node, "flush"), facts.record.position(node, "apply")
    window = int(facts.window[0]), int(facts.window[1])
    bare = np.empty((3, len(applied) + 1), dtype=np.int64)
    guarded = np.empty((3, len(applied) + len(flush) + len(apply) + 3), dtype=np.int64)
    simple = guards = 0
    if len(applied):
        steps = [(plain(each.time), plain(each.lsn)) for each in (flush, apply)]
        simple, guards = loops.exporter(
            applied, plain(clocks.stamps(facts)), steps[0], steps[1], window, (*bare,), (*guarded,)
        )
    return _first(bare, simple), _first(guarded, guards)


def _first(pieces: NDArray[np.int64], count: int) -> Ramps:
    start, low, high = pieces[:, :count]
    return Ramps(start, low, high, 0)


def _ages(facts: Facts, node: str) -> tuple[Ramps, Ramps]:
    """The age of the last commit replayed, without and with the guard, where it has one."""
    applied = facts.reached(node, "apply")
    applied = applied[applied < NEVER]
    stamped, clock = clocks.stamps(facts), clocks.changes(facts, node)
    clock = clock[clock > applied[0]] if len(applied) else clock[:0]
    starts = union(applied, clock)

    def origin(moments: Ints) -> Ints:
        """The last commit timestamp replayed, less what the standby's own clock is ahead."""
        last = looked_up(applied, stamped, moments, "right", back=1, outside=0)
        return last - clocks.error(facts, node, moments)

    bare = Ramps.of(starts, np.append(starts, NEVER)[1:], origin(starts), facts.window, zero_outside=False)

    # With the guard it also changes where the flush position (what 'received' means there) leaves the apply position.
    flush, apply = facts.record.position(node, "flush"), facts.record.position(node, "apply")
    edges = union(union(union(flush.time, apply.time), starts), np.array(facts.window))
    edges = edges[int(np.searchsorted(edges, applied[0])) :] if len(applied) else edges[:0]
    start, end = edges[:-1], edges[1:]
    behind = flush.at(start) > apply.at(start)
    start, end, since_stamp = start[behind], end[behind], origin(start[behind])
    # Never below 0, whatever the clocks show (postgres_exporter, pg_replication.go: GREATEST).
    guarded = Ramps.of(np.maximum(start, since_stamp), end, since_stamp, facts.window, zero_outside=False)
    return bare, guarded
