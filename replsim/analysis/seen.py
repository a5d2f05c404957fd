"""Which commits readers saw: a flag of its own beside a commit's outcome and its fate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.reads import facts_reads
from replsim.record.branch import branch_of, held, lsn_of
from replsim.units import NEVER

__all__ = ["seen_by_readers"]

Bools = NDArray[np.bool_]


def seen_by_readers(facts: Facts) -> Bools:
    """Whether some read looked at a state that has the commit, a row each of the record's table.

    A look at a standby shows a history up to a position.  A look at the primary shows what is visible there, so that a
    commit which waits for standbys may be missing before later ones; where primaries come and go, such a look shows
    all that its node has inserted (docs/model.md).
    """
    record = facts.record
    seen = np.zeros(len(record.commits), dtype=bool)
    if not (record.scenario.readers or record.scenario.sessions):
        return seen
    table, branches = facts_reads(facts), record.branches
    looked = table["answered"] < NEVER
    on_primary = (table["node"] == 0) & (len(branches) < 2)
    positions, own = np.unique(table["saw"][looked & ~on_primary]), branch_of(facts.codes)
    for branch in np.unique(own).tolist():
        most = int(held(branches, branch, positions).max(initial=0))
        seen[: facts.count] |= (own == branch) & (lsn_of(facts.codes) <= most)
    last = int(table["looked"][looked & on_primary].max(initial=-1))
    seen[: facts.count] |= facts.column("visible") <= last
    return seen
