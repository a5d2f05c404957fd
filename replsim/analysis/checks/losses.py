"""Invariant of failovers: no acknowledged commit is lost where the rule and the manager together exclude it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.checks.reigns import branches, branches_of, listed, rules, told_of
from replsim.randomness import Streams
from replsim.record import ACKNOWLEDGED, Record
from replsim.record.branch import shared
from replsim.scenario import Scenario
from replsim.scenario.failover import Manual, Patroni, Quorum
from replsim.scenario.faults import Crash, Cut, Partition, Pause
from replsim.scenario.network import link_ends
from replsim.scenario.windows import windows
from replsim.units import NEVER

__all__ = ["CHECKS", "safe_standbys"]

Ints = NDArray[np.int64]

BROUGHT_LOW: Final = ("crash", "stopped", "pause", "rewinding", "rebuilding")
"""What makes a standby unfit for a race for a while, as the events say it."""


def no_acknowledged_commit_is_lost(record: Record) -> Iterator[str]:
    """Where it is excluded, the history with which the cluster goes on has every commit that was acknowledged.

    - A primary that comes back has all that it had flushed, so every commit but those at ``off``.
    - A promotion, of commits at ``on`` and above that a rule released, by a manager that fences the old primary:
      *Patroni's synchronous modes* let none but proven nodes promote, whatever fails.  Under *ANY k* or *FIRST k* of n
      each commit is on the disk of k of them, so where those *elect* who have most (``quorum``, Patroni without its
      modes), one of them takes part if at least n - k + 1 were never brought low or cut off from each other.  An
      *operator* who promotes blindly is safe where every one of the n must confirm (k = n) and it is one of them.
    """
    table, own, every = record.commits, branches_of(record), branches(record)
    told = (table["outcome"] == ACKNOWLEDGED) & (table["acknowledged"] < NEVER)
    line = _line(record)
    levels = [table.words["level"].index(level) for level in ("on", "remote_apply")]
    off = table["level"] == table.words["level"].index("off")
    for branch in np.unique(own[: len(own)]).tolist():
        rows = np.flatnonzero(own == branch)
        rows = rows[told[rows] & ~off[rows]]
        lacking = [each for each in line if each > branch]
        for heir in lacking:
            lost = rows[table["lsn"][rows] > shared(every, branch, heir)]
            rows = np.setdiff1d(rows, lost)
            if every[heir].timeline == every[branch].timeline:
                wrong = lost
            else:
                wrong = lost[np.isin(table["level"][lost], levels)]
                wrong = wrong[_excluded(record, branch, heir, table["visible"][wrong])]
            if len(wrong):
                yield f"commit {wrong[0]} was acknowledged, and {every[heir].node} goes on without it (branch {heir})"


def safe_standbys(scenario: Scenario, record: Record, names: list[str], until: int) -> list[str]:
    """Those of some standbys that nothing has brought low, or cut off from another of them, up to a time."""
    safe = []
    for name in names:
        low = any(time <= until and what in BROUGHT_LOW for time, what in told_of(record, name))
        away = any(
            window.start <= until and _parts(scenario, window.fault, name, names)
            for window in windows(scenario, Streams(record.seed))
        )
        if not low and not away:
            safe.append(name)
    return safe


def _line(record: Record) -> list[int]:
    """The branches that lead to the history that goes on, from the first to the last."""
    every = branches(record)
    place, line = len(every) - 1, []
    while place >= 0:
        line.append(place)
        place = every[place].parent
    return line[::-1]


def _excluded(record: Record, branch: int, heir: int, visible: Ints) -> NDArray[np.bool_]:
    """Whether the manager may not promote the heir's node without commits that became visible at these times."""
    scenario, manager, every = record.scenario, record.scenario.failover, branches(record)
    excluded = np.zeros(len(visible), dtype=bool)
    if not manager.fencing:
        return excluded
    if isinstance(manager, Patroni) and manager.synchronous_mode != "off":
        return ~excluded
    for rule, since, until in rules(record, branch):
        names = listed(record, rule, every[branch].node)
        enough = len(names) - rule.count + 1
        if isinstance(manager, Manual):
            sure = rule.count == len(names) and every[heir].node in names
        else:
            able = [name for name in names if _may_stand(scenario, name)]
            sure = len(safe_standbys(scenario, record, able, every[heir].start)) >= enough
        if rule.count and sure:
            excluded |= (since <= visible) & (visible - scenario.wakeup <= until)
    return excluded


def _may_stand(scenario: Scenario, name: str) -> bool:
    """Whether a node takes part in elections at all."""
    manager = scenario.failover
    return not isinstance(manager, Quorum) or not manager.members or name in manager.members


def _parts(scenario: Scenario, fault: object, name: str, names: list[str]) -> bool:
    """Whether a fault cuts a node off from any other but the primary, or from a witness."""
    if isinstance(fault, Cut):
        ends = link_ends(fault.target)
        return name in ends and scenario.primary.name not in ends
    if isinstance(fault, Partition):
        group = {each: place for place, together in enumerate(fault.partition) for each in together}
        witnesses = set(group) - set(scenario.nodes)
        return any(group.get(each, -1) != group.get(name, -1) for each in {*names, *witnesses} - {name})
    return isinstance(fault, Crash | Pause) and fault.target == name


CHECKS: Final = (no_acknowledged_commit_is_lost,)
