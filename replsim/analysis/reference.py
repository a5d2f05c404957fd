"""The reference page of all metrics, written from the registry so that it cannot disagree with it."""

from __future__ import annotations

from typing import Final

from replsim.analysis.registry import METRICS, Metric, Unit, families

__all__ = ["page"]

UNITS: Final[dict[Unit, str]] = {
    "s": "seconds",
    "B": "bytes",
    "1/s": "per second",
    "1": "1",
    "count": "count",
}
_OWN: Final = {
    "node": "every node",
    "standby": "every standby",
    "writer": "every writer",
    "session": "every session group",
    "reader": "every reader",
}

_HEAD: Final = """\
# Metrics

<!-- Written by `python -m replsim.analysis.reference`; a test keeps it current. -->

A plain name, such as `lag.seconds.p99`, is the value for the whole cluster. With a name of the scenario before
it, `s1.lag.seconds.p99`, it is that one's own: the column *own value* says who has one.

- Values are in SI units: seconds, bytes, per second, fractions; NaN where there is nothing to measure.
- The *window* is the run from the end of its warm-up to its end.
- *Acknowledged* means that the client has the server's answer: the network's way back is in it.
- Percentiles are by nearest rank: the smallest value that at least this share of all values, or of the time, does
  not exceed. Over time they are exact integrals; nothing is sampled.
- *Kind* is what sort of estimate a metric is; studies of several seeds choose their intervals by it.

An expectation compares one with a quantity in its unit: `commit_latency.p99 < 20ms`, `s1.lag.bytes.max < 1 MB`,
`throughput > 700/s`, `stale_reads.fraction < 1%`, `pending_commits == 0`.
"""


def page() -> str:
    """The page in Markdown: one table a family, in the registry's order."""
    text = _HEAD
    heading = ""
    for family in families(METRICS.values()):
        metric = family[0]
        here = metric.name.split(".")[0]
        if here != heading:
            heading = here
            text += f"\n## {heading}\n\n| metric | unit | kind | own value | definition |\n|---|---|---|---|---|\n"
        names = "<br>".join(f"`{each.name}`" for each in family)
        kinds = ", ".join(dict.fromkeys(each.kind for each in family))
        meaning = metric.subject or metric.definition
        text += f"| {names} | {UNITS[metric.unit]} | {kinds} | {_own(metric)} | {meaning} |\n"
    return text


def _own(metric: Metric) -> str:
    return ", ".join(_OWN[per] for per in metric.per)


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
