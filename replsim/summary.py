"""The answer first: how a value is worded for people, and which numbers a result leads with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis import find
from replsim.analysis.lag import lag_series
from replsim.record import Record
from replsim.scenario import Scenario

if TYPE_CHECKING:
    from replsim.analysis.expectations import Check

__all__ = ["Block", "blocks", "html", "lag_lines", "show", "show_metric", "sparkline"]

Names = Mapping[str, str]

_SPREAD: Final = ("p50", "p99", "max", "mean")

HEADLINES: Final[Mapping[str, Names]] = {
    "commit latency": {name: f"commit_latency.{name}" for name in _SPREAD},
    "commits": {"a second": "throughput", "unfinished": "pending_commits"},
    "failures": {
        "lost commits": "lost_commits",
        "RPO": "rpo.seconds",
        "RTO": "rto",
        "unknown": "unknown_commits",
        "failed": "failed_commits",
        "split brain": "split_brain",
    },
    "standby lag, worst": {name: f"lag.seconds.{name}" for name in _SPREAD},
    "stale reads": {
        "share": "stale_reads.fraction",
        "age p99": "stale_reads.age.p99",
        "of own row": "stale_reads.by_key.fraction",
        "ahead": "reads_ahead.fraction",
    },
    "broken by sessions": {
        "read your writes": "session_violations.read_your_writes",
        "monotonic reads": "session_violations.monotonic_reads",
    },
    "promises to readers": {
        "broken": "promises.broken",
        "wait p99": "promises.wait.p99",
        "timed out": "promises.timed_out",
        "sent to primary": "promises.to_primary",
    },
    "lost if primary restarts": {
        "chance of any": "loss_if_primary_restarts.probability",
        "commits p50": "loss_if_primary_restarts.commits.p50",
        "max": "loss_if_primary_restarts.commits.max",
    },
    "lost if primary dies": {
        "chance of any": "loss_if_primary_dies.probability",
        "commits p50": "loss_if_primary_dies.commits.p50",
        "max": "loss_if_primary_dies.commits.max",
    },
}
"""What a result leads with."""
NODE_COLUMNS: Final[Names] = {
    "lag p50": "lag.seconds.p50",
    "p99": "lag.seconds.p99",
    "max": "lag.seconds.max",
    "measured p50": "measured_lag.replay.p50",
    "per flush": "commits_per_flush",
    "disk busy": "flush_utilisation",
}
WRITER_COLUMNS: Final[Names] = {
    "latency p50": "commit_latency.p50",
    "p99": "commit_latency.p99",
    "max": "commit_latency.max",
    "known p50": "learned_latency.p50",
    "a second": "throughput",
    "unfinished": "pending_commits",
    "connection wait p99": "connection_wait.p99",
}
READER_COLUMNS: Final[Names] = {
    "reads": "reads.count",
    "stale": "stale_reads.fraction",
    "age p99": "stale_reads.age.p99",
    "versions mean": "stale_reads.versions.mean",
    "of own row": "stale_reads.by_key.fraction",
    "ahead": "reads_ahead.fraction",
}

_TIMES: Final = ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s"), (60.0, "min"), (3600.0, "h"), (86400.0, "d"))
_BYTES: Final = ((1.0, "B"), (1e3, "kB"), (1e6, "MB"), (1e9, "GB"), (1e12, "TB"))
_COUNTS: Final = ((1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"))
_BARS: Final = "▁▂▃▄▅▆▇█"


def show(value: float, unit: str, *, fraction: bool = False) -> str:
    """A value in SI units as people say it, to three digits; a dash for what is not a number.

    ``fraction`` tells a share, shown in percent, from a ratio: both are pure numbers.

    >>> show(0.007538, "s"), show(1.2e6, "B"), show(812.4, "1/s"), show(41, "count"), show(0.143, "1", fraction=True)
    ('7.54 ms', '1.2 MB', '812/s', '41', '14.3 %')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if unit == "s":
        return _scaled(value, _TIMES)
    if unit == "B":
        return _scaled(value, _BYTES)
    if fraction:
        return f"{_digits(100 * value)} %"
    number = _scaled(value, _COUNTS).replace(" ", "")
    return f"{number}/s" if unit == "1/s" else number


def show_metric(name: str, value: float) -> str:
    """The value of a metric, in its unit."""
    metric, _ = find(name)
    return show(value, metric.unit, fraction=metric.kind == "proportion")


@dataclass(frozen=True, slots=True)
class Block:
    """A small table: columns, and for each row its title and some metrics by column, as (metric's name, value)."""

    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, Mapping[str, tuple[str, float]]], ...]


def blocks(scenario: Scenario, metrics: Mapping[str, float]) -> list[Block]:
    """The tables that tell a run, the answer first: commits, lag, reads; then each node, writer and reader."""
    found = [_block(about, names, {about: ""}, metrics) for about, names in HEADLINES.items()]
    for about, entities, names in (
        ("node", scenario.nodes, NODE_COLUMNS),
        ("writer", (*scenario.writers, *scenario.sessions), WRITER_COLUMNS),
        ("reader", (*scenario.readers, *scenario.sessions), READER_COLUMNS),
    ):
        found.append(_block(about, names, {entity: f"{entity}." for entity in entities}, metrics))
    return [block for block in found if block.rows]


def _block(about: str, names: Names, prefixes: Mapping[str, str], metrics: Mapping[str, float]) -> Block:
    every = [(title, _values(metrics, prefix, names)) for title, prefix in prefixes.items()]
    rows = tuple((title, values) for title, values in every if values)
    return Block(about, tuple(name for name in names if any(name in values for _, values in rows)), rows)


def _values(metrics: Mapping[str, float], prefix: str, names: Names) -> dict[str, tuple[str, float]]:
    """Those of the named metrics that the run has and that are numbers."""
    found = {}
    for column, name in names.items():
        full = f"{prefix}{name}"
        if full in metrics and not math.isnan(value := metrics[full]):
            found[column] = (full, value)
    return found


def lag_lines(record: Record, width: int) -> dict[str, str]:
    """Each standby's lag in seconds over the whole run, as a `sparkline`."""
    end = record.scenario.duration / 1e9
    return {name: sparkline(*lag_series(record, name, "seconds"), end, width) for name in record.scenario.standbys}


def sparkline(time: NDArray[np.float64], value: NDArray[np.float64], end: float, width: int = 30) -> str:
    """A line of bars over ``[0, end]``, from zero to the largest value: each shows its stretch's largest.

    The points are corners joined by straight lines, so no spike is lost and no long ramp either.

    >>> sparkline(np.array([0.0, 8.0]), np.array([0.0, 7.0]), 8.0, 8)
    '▂▃▄▅▅▆▇█'
    """
    if not len(time):
        return _BARS[0] * width
    edges = np.linspace(0.0, end, width + 1)
    joined = np.interp(edges, time, value, left=0.0)
    tallest = np.maximum(joined[:-1], joined[1:])
    stretch = np.clip((time / end * width).astype(np.int64), 0, width - 1)
    np.maximum.at(tallest, stretch, value)
    top = tallest.max()
    steps = np.round(tallest / top * (len(_BARS) - 1)) if top > 0 else np.zeros(width)
    return "".join(_BARS[int(step)] for step in steps)


_QUIET: Final = "color:gray;font-weight:normal"
_CELL: Final = "text-align:left;padding:1px 14px 1px 0"


def html(
    scenario: Scenario, metrics: Mapping[str, float], checks: Sequence[Check], lines: Mapping[str, str] | None = None
) -> str:
    """A compact table for a notebook: the question, the answer, whether it is as expected, and each entity.

    ``lines`` holds a line of bars for some entities, such as each standby's lag over the run.
    """
    parts = [f"<b>{escape(scenario.name)}</b>"]
    parts += [f"<div><i>{escape(text)}</i></div>" for text in (scenario.question, scenario.finding) if text]
    found = blocks(scenario, metrics)
    rows = []
    for block in found:
        if block.about in HEADLINES:
            values = block.rows[0][1]
            rows.append(
                [
                    _cell(block.about, "th"),
                    *(_cell(show_metric(*values[name]), before=name) for name in block.columns if name in values),
                ]
            )
    parts.append(_rows(rows))
    for check in checks:
        mark = "✓" if check.held else "✗"
        parts.append(
            f"<div>{mark} {escape(str(check.expectation))}: {show_metric(check.expectation.metric, check.value)}</div>"
        )
    for block in found:
        if block.about not in HEADLINES:
            own = {title: line for title, line in (lines or {}).items() if any(title == row[0] for row in block.rows)}
            head = [_cell(name, "th", quiet=True) for name in (block.about, *block.columns)]
            rows = [[*head, *([_cell("lag over the run", "th", quiet=True)] if own else [])]]
            for title, values in block.rows:
                cells = [show_metric(*values[name]) if name in values else "" for name in block.columns]
                rows.append([_cell(title, "th"), *map(_cell, cells), *([_cell(own.get(title, ""))] if own else [])])
            parts.append(_rows(rows))
    return "".join(parts)


def _rows(rows: Sequence[Sequence[str]]) -> str:
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f'<table style="border-collapse:collapse;margin:6px 0"><tbody>{body}</tbody></table>'


def _cell(text: str, tag: str = "td", *, before: str = "", quiet: bool = False) -> str:
    """A cell; ``before`` is a quiet word in front of its text."""
    word = f'<span style="{_QUIET}">{escape(before)}</span> ' if before else ""
    return f'<{tag} style="{_CELL}{";" + _QUIET if quiet else ""}">{word}{escape(text)}</{tag}>'


def _scaled(value: float, units: tuple[tuple[float, str], ...]) -> str:
    """In the largest unit that leaves at least 1 before the point, judged after rounding."""
    value = float(f"{value:.3g}")
    if value == 0:
        return f"0 {'s' if units is _TIMES else units[0][1]}".strip()
    factor, name = next(((f, n) for f, n in reversed(units) if abs(value) >= f), units[0])
    return f"{_digits(value / factor)} {name}".strip()


def _digits(number: float) -> str:
    """Three significant digits without an exponent, and no zeros that say nothing."""
    rounded = float(f"{number:.3g}")
    if rounded == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(rounded))))
    text = f"{rounded:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
