"""The knobs that are quantities, as one table a part of the scenario: a slider over round values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from dashboard.cluster import Changes
from dashboard.knobs.knob import Knob
from replsim.randomness import Distribution
from replsim.scenario import Scenario
from replsim.summary import show
from replsim.units import SECOND, format_bandwidth, format_duration, format_rate, format_size

__all__ = [
    "MS",
    "PRIMARY",
    "READER",
    "RUN",
    "SESSION",
    "STANDBY",
    "WRITER",
    "Row",
    "held_at",
    "quantities",
    "quantity",
]

Kind = Literal["time", "size", "rate", "count", "bandwidth", "seed"]


@dataclass(frozen=True)
class Row:
    """A quantity of the table: its place, its bounds (in inner units) and its words."""

    path: str
    kind: Kind
    low: float
    high: float
    label: str
    help: str


MS: Final = SECOND // 1000

PRIMARY: Final = (
    Row("primary.wal_device.flush", "time", 0.05 * MS, 30 * MS, "Disk flush", "One fdatasync on the primary's disk."),
)
STANDBY: Final = (
    Row("standbys.{}.wal_device.flush", "time", 0.05 * MS, 30 * MS, "Disk flush", "One fdatasync on its disk."),
    Row(
        "standbys.{}.replay.per_record", "time", 0.001 * MS, 10 * MS, "Replay cost",
        "What it costs to replay one WAL record. Beyond 1/rate the standby falls behind without end.",
    ),
    Row(
        "standbys.{}.recovery_min_apply_delay", "time", 1 * MS, 60_000 * MS, "Apply delay",
        "recovery_min_apply_delay: it applies a commit only when it is this old.",
    ),
)  # fmt: skip
WRITER: Final = (
    Row("writers.{}.rate", "rate", 10, 5_000, "Writes", "Transactions a second that arrive, whatever the answers do."),
    Row("writers.{}.clients", "count", 1, 100, "Clients", "Each waits for its answer, thinks, and writes again."),
    Row("writers.{}.record", "size", 100, 100_000, "WAL a commit", "Bytes of WAL that a transaction writes."),
)
READER: Final = (Row("readers.{}.rate", "rate", 10, 10_000, "Reads", "Reads a second."),)
SESSION: Final = (Row("sessions.{}.count", "count", 1, 1_000, "Users", "Each writes, then reads its own row."),)
RUN: Final = (
    Row("background.wal", "bandwidth", 100_000, 100_000_000, "Background WAL", "Vacuum, index builds: no one waits."),
    Row(
        "duration", "time", 5 * SECOND, 600 * SECOND, "Simulated time", "How long the run lasts, the warm-up included."
    ),
    Row("seed", "seed", 1, 20, "Seed", "The same seed has the same luck: only what you change differs."),
)


def quantities(scenario: Scenario, rows: tuple[Row, ...], group: str, name: str = "") -> Iterator[Knob]:
    """A knob for each row that the scenario says something of."""
    for row in rows:
        path = row.path.format(name)
        delays_reads = row.path.endswith("apply_delay") and any(each.contends for each in scenario.readers.values())
        if held_at(scenario, path) is not None and not delays_reads:
            yield quantity(scenario, row, group, path)


def quantity(scenario: Scenario, row: Row, group: str, path: str) -> Knob:
    """The knob of one quantity, at its own place."""
    held = held_at(scenario, path)
    value = _typical(held) if isinstance(held, Distribution) else held
    zero = (0,) if path.endswith("apply_delay") or value == 0 else ()
    ladder = range(1, 21) if row.kind == "seed" else _ladder(row.low, row.high, whole=row.kind != "rate")
    options = tuple(sorted({*zero, value, *ladder}))

    def write(new: Any) -> Changes:
        text = _TEXT[row.kind](new)
        return {path: _rescaled(held, new / value, text) if isinstance(held, Distribution) and value else text}

    words = row.help
    if isinstance(held, Distribution) and held.constant is None:
        words += " Times vary: this is the median." if held.lognormal else " Times vary: this is the mean."
    return Knob(path, group, row.label, words, value, options, _SHOW[row.kind], write)


def _typical(held: Distribution[Any]) -> int:
    """The value that a slider stands for: the median where the distribution is told by it, else the mean."""
    if held.constant is not None:
        return int(held.constant)
    return int(held.lognormal.median) if held.lognormal is not None else round(held.mean)


def _rescaled(held: Distribution[Any], factor: float, text: str) -> str:
    """The distribution with another typical value: a lognormal keeps its shape, any other becomes that constant."""
    if held.lognormal is None:
        return f"{{exponential: {{mean: {text}}}}}" if held.exponential is not None else text
    written = held.lognormal.model_dump(mode="json")
    unit = format_duration if str(written["median"]).endswith("s") else format_size
    return f"{{lognormal: {{median: {text}, p99: {unit(round(held.lognormal.p99 * factor))}}}}}"


def _ladder(low: float, high: float, *, whole: bool) -> list[Any]:
    """Round values from ``low`` to ``high``: 1, 1.5, 2, 3, 5, 7 in each decade."""
    decade = 10.0 ** math.floor(math.log10(low))
    found = []
    while decade <= high:
        found += [step * decade for step in (1, 1.5, 2, 3, 5, 7) if low <= step * decade <= high * 1.0001]
        decade *= 10
    return [round(each) for each in found] if whole else [round(each, 6) for each in found]


def held_at(scenario: Scenario, path: str) -> Any:
    """What a scenario holds at a path, or None."""
    held: Any = scenario
    for key in path.split("."):
        held = held.get(key) if isinstance(held, Mapping) else getattr(held, key, None)
    return held


_TEXT: Final[Mapping[str, Callable[[Any], str]]] = {
    "time": format_duration,
    "size": format_size,
    "bandwidth": format_bandwidth,
    "rate": format_rate,
    "count": str,
    "seed": str,
}
_SHOW: Final[Mapping[str, Callable[[Any], str]]] = {
    "time": lambda value: show(value / SECOND, "s"),
    "size": lambda value: show(value, "B"),
    "bandwidth": lambda value: show(value, "B") + "/s",
    "rate": lambda value: show(value, "1/s"),
    "count": str,
    "seed": str,
}
