"""Invariants of the WAL that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from replsim.analysis.checks.reigns import COPIES, told_of, upstreams
from replsim.record import Record
from replsim.record.branch import lsn_of

__all__ = ["CHECKS"]


def what_is_kept_ends_with_a_file(record: Record) -> Iterator[str]:
    """WAL is removed in whole files, and never the one that is written."""
    file = record.scenario.primary.wal_segment_size
    for node, stages in record.positions.items():
        kept = stages.get("kept")
        if kept is None:
            continue
        if np.any(lsn_of(kept.lsn) % file):
            yield f"{node} keeps a part of a file"
        if np.any(lsn_of(kept.lsn) > lsn_of(stages["flush"].at(kept.time))):
            yield f"{node} has removed WAL that it had not flushed"


def nothing_is_sent_that_is_gone(record: Record) -> Iterator[str]:
    """Whatever an upstream sends, it still had when its walsender was woken to send it."""
    wakeup = record.scenario.wakeup
    for node, stages in record.positions.items():
        if "sent" not in stages or record.scenario.archive is not None:
            continue
        sent = stages["sent"]
        copies = [time for time, what in told_of(record, node) if what in COPIES]
        for upstream, since, until in upstreams(record, node):
            kept = record.positions[upstream].get("kept")
            # The first step of a connection, or a new base backup's, does not say where it began.
            there = (since < sent.time) & (sent.time < until) & ~np.isin(sent.time, copies)
            mine = np.flatnonzero(there)[1:]
            if kept is not None and np.any(lsn_of(sent.lsn[mine - 1]) < lsn_of(kept.at(sent.time[mine] - wakeup - 1))):
                yield f"{upstream} sends {node} WAL that it has removed"


CHECKS: Final = (what_is_kept_ends_with_a_file, nothing_is_sent_that_is_gone)
