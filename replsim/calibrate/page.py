"""The page that holds every measured run against its simulation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from replsim import front
from replsim.calibrate.compare import Comparison, Row, compare
from replsim.calibrate.kills import SCENARIO, Losses
from replsim.calibrate.seen import seen_in
from replsim.calibrate.stored import read
from replsim.summary import show_metric

__all__ = ["comparisons", "markdown", "measured_runs"]

HEAD = """\
# Measured runs

<!-- Written by docs/build.py --all from the runs themselves: change those, not this page. -->

A real PostgreSQL 15, one primary and two standbys behind delay proxies on one machine, was driven by pgbench and
recorded: every transaction, every flush of every node, and `pg_stat_replication` every 25 ms. Each run is a scenario
in `scenarios/validation/`, with its data beside it. A run's flush devices replay its own flush times; everything else
is **one set of constants for all runs**, those of [the model](model.md#mechanism-constants).

```console
$ replsim validate q_c8_d2-10_any1_on --against scenarios/validation/data
```

repeats a line of this page, and with `--out` draws the QQ plot and the lag over time.  Limits: p50 of commit latency 8%
(open loop at `local` 12%), its p99 30%, throughput 8%, commits per flush 15%, p50 of the lag columns 15% or 0.1 ms.
In open loop the latency is that from a transaction's own start: what pgbench is late by itself is not the cluster's.
A run's name says its clients (`c8`: closed loop, `r200`: 200/s in open loop), the delays to s1 and s2 in ms, the ack
rule and the level; `q` has its WAL in memory with 1 ms added to each flush, `qdisk` on a real disk.

Another run of the same rig needs a copy of the nearest scenario, its own delays, names, level and load, and its files:
`replsim validate copy.yaml --against FOLDER/NAME`. What was probed otherwise (`stale_ctl`, `visorder_any2_on`,
`failover_local_d20-40`) is compared in `tests/validation`: how soon a commit is seen on a standby, in which order, and
how many are under way to it. What a kill of the primary loses is [at the end](#failover_kill_d20-40).
"""

KILLS = """\
The primary is killed under the load of eight clients, and s2 (40 ms away) is promoted. A commit is lost if its client
was told of it and it is not there. What is in flight dies with the host, or still arrives. Each number is a kill; those
simulated differ in the moment. Where it arrives, the simulated server dies in one moment, and what it had acknowledged
it had sent. The processes of a measured one died one after the other: what it lost was acknowledged 17 and 25 ms after
the kill began. Ten more kills of real servers (`--engine postgres`; five of the postmaster alone, five immediate stops)
lost nothing.
"""


def measured_runs(folder: Path | None = None) -> list[Path]:
    """The scenarios of the measured runs that have their transactions beside them."""
    folder = folder or front.scenarios_folder() / "validation"
    return [file for file in sorted(folder.glob("*.yaml")) if (folder / "data" / f"{file.stem}.tx.csv.gz").exists()]


def comparisons(files: Iterable[Path]) -> Iterator[Comparison]:
    """Each measured run beside a simulation of it."""
    for file in files:
        scenario = front.load(file)
        measured = read(file.parent / "data", name=scenario.name)
        yield compare(scenario, measured, seen_in(front.run(scenario), "simulated"))


def markdown(found: Sequence[Comparison], kills: Iterable[Losses]) -> str:
    """The page: a line a run, then each run in full, then what kills lose."""
    held = sum(each.held for each in found)
    missed = [f"`{each.scenario.name}` misses a limit: {_finding(each)}" for each in found if not each.held]
    lines = [HEAD, f"**{held} of {len(found)} runs are within every limit.**", "", *missed, *([""] if missed else [])]
    lines += _table(
        [
            "run",
            "p50 measured",
            "simulated",
            "error",
            "p90",
            "p99",
            "throughput",
            "commits per flush",
            "lag, worst p50",
        ],
        [_summary(each) for each in found],
    )
    for each in found:
        lines += ["", f"## {each.scenario.name}", "", each.scenario.question, ""]
        rows = [
            [f"`{row.metric}`", _shown(row, row.measured), _shown(row, row.simulated), _error(row), _limit(row)]
            for row in each.rows
        ]
        lines += _table(["metric", "measured", "simulated", "error", "limit"], rows)
    lines += ["", f"## {SCENARIO}", "", KILLS]
    header = [
        "level",
        "rule",
        "in flight",
        "lost, measured",
        "ms of load",
        "lost, simulated",
        "ms of load",
    ]
    lines += _table(header, [_kind(each) for each in kills])
    return "\n".join(lines) + "\n"


def _kind(each: Losses) -> list[str]:
    counts = (each.measured, each.simulated)
    measured, simulated = (", ".join(map(str, sorted(numbers))) for numbers in counts)
    loads = (each.measured_ms, each.simulated_ms)
    measured_ms, simulated_ms = (f"{min(numbers):.1f} to {max(numbers):.1f}" for numbers in loads)
    return [each.level, each.names or "none", each.in_flight, measured, measured_ms, simulated, simulated_ms]


def _finding(each: Comparison) -> str:
    rows = [row for row in each.rows if not row.held]
    told = ", ".join(f"{row.metric} by {row.error:+.1%}" for row in rows)
    return f"{told}. {each.scenario.finding} Its file says more."


def _summary(each: Comparison) -> list[str]:
    rows = {row.metric: row for row in each.rows}
    p50, p90, p99 = (rows[f"{each.latency}.{rank}"] for rank in ("p50", "p90", "p99"))
    lag = [row for row in each.rows if ".measured_lag." in row.metric and row.metric.endswith(".p50")]
    flushes = rows.get(f"{each.scenario.primary.name}.commits_per_flush")
    name = each.scenario.name
    return [
        f"[{name}](#{name})",
        _shown(p50, p50.measured),
        _shown(p50, p50.simulated),
        *(_error(row) for row in (p50, p90, p99, rows["throughput"])),
        _error(flushes) if flushes else "",
        _error(max(lag, key=lambda row: abs(row.simulated - row.measured) / max(0.15 * row.measured, 1e-4)))
        if lag
        else "",
    ]


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]


def _shown(row: Row, value: float) -> str:
    return show_metric(row.metric, value)


def _error(row: Row) -> str:
    text = "" if math.isnan(row.error) else f"{row.error:+.1%}"
    return text if row.held else f"**{text}** ✗"


def _limit(row: Row) -> str:
    if row.limit is None:
        return ""
    amount = f" or {_shown(row, row.limit.amount)}" if row.limit.amount else ""
    return f"{row.limit.share:.0%}{amount}"
