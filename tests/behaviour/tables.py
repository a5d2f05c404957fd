"""What a run left behind, as tables in milliseconds that can be written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from replsim.record import Record
from replsim.units import NEVER

__all__ = ["commits", "counts", "events", "flushes", "replies", "steps"]

STAGES = {
    "sent": "sent",
    "received": "receive",
    "wrote": "write",
    "flushed": "flush",
    "applied": "apply",
    "reported_write": "reported_write",
    "reported_flush": "reported_flush",
    "reported_apply": "reported_apply",
}
"""What is said of a standby and a commit, and the stage at which its position passed the commit's end."""


def commits(record: Record, columns: Sequence[str]) -> str:
    """One line a commit, in the order of the log: who wrote it, and each column's time, size or word."""
    table = record.commits
    names = table.words["writer"]
    cells = [[names[code] for code in table["writer"]]]
    for column in columns:
        if "." in column:
            node, stage = column.split(".")
            times = record.position(node, STAGES[stage]).crossing(table["lsn"])
            cells.append([_ms(NEVER if lsn == NEVER else time) for time, lsn in zip(times, table["lsn"], strict=True)])
        elif column in ("latency", "service"):
            start = table["submitted" if column == "latency" else "started"]
            cells.append([_ms(a if a == NEVER else a - b) for a, b in zip(table["acknowledged"], start, strict=True)])
        elif column in table.times:
            cells.append([_ms(time) for time in table[column]])
        elif column in table.words:
            cells.append([table.words[column][code] for code in table[column]])
        else:
            cells.append([str(value) for value in table[column]])
    return _table(["commit", *columns], zip(*cells, strict=True))


def steps(record: Record, stages: Sequence[str]) -> str:
    """Each position's steps: the time, and the bytes reached."""
    rows = []
    for stage in stages:
        node, _, name = stage.partition(".")
        trajectory = record.position(node, name)
        rows += [(stage, _ms(time), str(lsn)) for time, lsn in zip(trajectory.time, trajectory.lsn, strict=True)]
    return _table(["position", "at", "bytes"], rows)


def events(record: Record) -> str:
    """What happened to the cluster: when, to whom, and what."""
    table = record.events
    rows = zip(table["time"], table["node"], table["what"], strict=True)
    cells = [(_ms(time), table.words["node"][node], table.words["what"][what]) for time, node, what in rows]
    return _table(["at", "node", "what"], cells)


def replies(record: Record, standby: str) -> str:
    """Each reply of a standby that its upstream has processed: when, and what it reported (in bytes)."""
    columns = record.replies[standby]
    rows = zip(
        map(_ms, columns.time), map(str, columns.write), map(str, columns.flush), map(str, columns.apply), strict=True
    )
    return _table(["processed", "write", "flush", "apply"], rows)


def flushes(record: Record, nodes: Sequence[str]) -> str:
    """Each flush that has ended: on which node, when it began and ended, and how many commits it covered."""
    rows = []
    for node in nodes:
        flushed = record.position(node, "flush")
        lsn = sorted(int(each) for each in record.commits["lsn"] if each != NEVER)
        before = 0
        for start, end, position in zip(record.flush_starts[node], flushed.time, flushed.lsn, strict=False):
            covered = sum(before < each <= position for each in lsn)
            rows.append((node, _ms(start), _ms(end), str(covered)))
            before = int(position)
    return _table(["flush", "begins", "ends", "commits"], rows)


def counts(record: Record, nodes: Sequence[str]) -> str:
    """How many commits were acknowledged, and how many flushes each node began."""
    acknowledged = int((record.commits["acknowledged"] != NEVER).sum())
    rows = [("acknowledged", str(acknowledged))]
    rows += [(f"flushes of {node}", str(len(record.flush_starts[node]))) for node in nodes]
    return "\n".join(f"{name}: {count}" for name, count in rows)


def _ms(time: int) -> str:
    """Milliseconds, exactly."""
    if time == NEVER:
        return "never"
    whole, rest = divmod(int(time), 1_000_000)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in lines
    )
