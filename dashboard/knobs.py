"""The knobs that matter, as one table: what each changes, between which bounds, and in which words.

A `Knob` belongs to one scenario and knows its value there; turning it gives the changes (path → value, as ``--set``
has them) that make it so.  Nothing here knows of widgets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from dashboard.cluster import Changes, rules, standby_changes
from replsim.randomness import Distribution
from replsim.rules.acks import LEVELS, SyncRule
from replsim.scenario import Scenario
from replsim.scenario.topology import zone_of
from replsim.summary import show
from replsim.units import SECOND, format_bandwidth, format_duration, format_rate, format_size

__all__ = ["Knob", "knobs"]

Kind = Literal["time", "size", "rate", "count", "bandwidth", "seed", "word"]


@dataclass(frozen=True)
class Knob:
    """One thing to turn: its value now, what it can be, and what a turn changes."""

    path: str
    """The place in the scenario, as ``--set`` has it; the widget's key."""
    group: str
    label: str
    help: str
    value: Any
    options: tuple[Any, ...]
    """In order; a quantity's are a ladder of round values and the value itself."""
    show: Callable[[Any], str]
    """A value in words."""
    write: Callable[[Any], Changes]
    """The changes that make it ``value``."""
    ordered: bool = True
    """Whether it is a quantity (a slider) or a choice."""

    def with_option(self, value: Any) -> Knob:
        """The same knob, which can also stand at ``value``."""
        more = sorted({*self.options, value}) if self.ordered else dict.fromkeys([*self.options, value])
        return replace(self, options=tuple(more))


@dataclass(frozen=True)
class _Row:
    """A quantity of the table: its place, its bounds (in inner units) and its words."""

    path: str
    kind: Kind
    low: float
    high: float
    label: str
    help: str


MS: Final = SECOND // 1000
PRIMARY: Final = (
    _Row("primary.wal_device.flush", "time", 0.05 * MS, 30 * MS, "Disk flush", "One fdatasync on the primary's disk."),
)
STANDBY: Final = (
    _Row("standbys.{}.wal_device.flush", "time", 0.05 * MS, 30 * MS, "Disk flush", "One fdatasync on its disk."),
    _Row(
        "standbys.{}.replay.per_record", "time", 0.001 * MS, 10 * MS, "Replay cost",
        "What it costs to replay one WAL record. Beyond 1/rate the standby falls behind without end.",
    ),
    _Row(
        "standbys.{}.recovery_min_apply_delay", "time", 1 * MS, 60_000 * MS, "Apply delay",
        "recovery_min_apply_delay: it applies a commit only when it is this old.",
    ),
)  # fmt: skip
WRITER: Final = (
    _Row("writers.{}.rate", "rate", 10, 5_000, "Writes", "Transactions a second that arrive, whatever the answers do."),
    _Row("writers.{}.clients", "count", 1, 100, "Clients", "Each waits for its answer, thinks, and writes again."),
    _Row("writers.{}.record", "size", 100, 100_000, "WAL a commit", "Bytes of WAL that a transaction writes."),
)
READER: Final = (_Row("readers.{}.rate", "rate", 10, 10_000, "Reads", "Reads a second."),)
SESSION: Final = (_Row("sessions.{}.count", "count", 1, 1_000, "Users", "Each writes, then reads its own row."),)
RUN: Final = (
    _Row("background.wal", "bandwidth", 100_000, 100_000_000, "Background WAL", "Vacuum, index builds: no one waits."),
    _Row(
        "duration", "time", 5 * SECOND, 600 * SECOND, "Simulated time", "How long the run lasts, the warm-up included."
    ),
    _Row("seed", "seed", 1, 20, "Seed", "The same seed has the same luck: only what you change differs."),
)

LEVEL_WORDS: Final = {
    "off": "off: told before the flush",
    "local": "local: on the primary's disk",
    "remote_write": "remote_write: in a standby's memory",
    "on": "on: on a standby's disk",
    "remote_apply": "remote_apply: visible on a standby",
}
ALONE: Final = {
    level: words if level == "off" else f"{level}: on the primary's disk" for level, words in LEVEL_WORDS.items()
}
"""In words where nobody but the primary must confirm."""
ROUTES: Final = {
    "primary": "the primary",
    "round_robin": "the standbys in turn",
    "random": "a random standby",
    "nearest": "the nearest standby",
}


PROMISES: Final = {
    "none": "nothing",
    "read_your_writes": "your own writes",
    "monotonic_reads": "never less than before",
    "causal": "both of these",
    "bounded_staleness": "nothing older than 100 ms missing",
}
KEPT_BY: Final = {"wait": "waiting there", "primary": "asking the primary", "another": "trying another standby"}


def knobs(scenario: Scenario, base: Scenario | None = None) -> list[Knob]:
    """Every knob of a scenario, in the order in which a page shows them; each can also stand as in ``base``."""
    if base is None:
        return list(_every(scenario))
    own = {knob.path: knob.value for knob in _every(base)}
    same_nodes = scenario.nodes == base.nodes
    return [
        knob.with_option(own[knob.path]) if knob.path in own and (knob.ordered or same_nodes) else knob
        for knob in _every(scenario)
    ]


def _every(scenario: Scenario) -> list[Knob]:
    found = [*_commit(scenario), *_rows(scenario, PRIMARY, "Primary", "")]
    for name in scenario.standbys:
        found += [_distance(scenario, name), *_rows(scenario, STANDBY, f"Standby {name}", name)]
    for group, names, rows in (
        ("Writers", scenario.writers, WRITER),
        ("Users", scenario.sessions, SESSION),
        ("Readers", scenario.readers, READER),
    ):
        for name in names:
            found += _rows(scenario, rows, f"{group}: {name}", name)
            found += _routing(scenario, group, name)
            if group != "Writers":
                found += _promises(scenario, f"{group}: {name}", "readers" if group == "Readers" else "sessions", name)
    return [*found, *_rows(scenario, RUN, "Run", "")]


def _commit(scenario: Scenario) -> Iterator[Knob]:
    group = "Commit"
    alone = not SyncRule.parse(scenario.primary.synchronous_standby_names).count
    yield Knob(
        "primary.synchronous_commit", group, "synchronous_commit",
        "How far a commit must get before its client is told."
        + (" While nobody must confirm, all but off are the same: the primary's disk." if alone else ""),
        scenario.primary.synchronous_commit, LEVELS, (ALONE if alone else LEVEL_WORDS).__getitem__,
        lambda level: {"primary.synchronous_commit": f'"{level}"' if level in ("on", "off") else level}, ordered=False,
    )  # fmt: skip
    offered = rules(scenario)
    yield Knob(
        "primary.synchronous_standby_names", group, "Who must confirm",
        "synchronous_standby_names. FIRST waits for those named first, ANY for whichever answer first (a quorum).",
        scenario.primary.synchronous_standby_names, tuple(offered), lambda rule: offered.get(rule, rule),
        lambda rule: {"primary.synchronous_standby_names": rule or '""'}, ordered=False,
    )  # fmt: skip
    yield Knob(
        "standbys", group, "Standbys", "How many servers stream from the primary; a new one is like the last.",
        len(scenario.standbys), tuple(range(max(6, len(scenario.standbys)) + 1)), str,
        lambda number: standby_changes(scenario, number),
    )  # fmt: skip


def _distance(scenario: Scenario, name: str) -> Knob:
    """How far a standby is from its upstream: its zone where zones say it, else its link's latency."""
    upstream, group = scenario.upstream(name), f"Standby {name}"
    links = (f"{upstream} -> {name}", f"{name} -> {upstream}")
    link = next((each for each in links if each in scenario.links), None)
    zones = scenario.zones
    if link is None and zones is not None:
        known = {zone for each in scenario.nodes if (zone := zone_of(scenario, each))}
        known |= {end.strip() for pair in zones.latency for end in pair.split("->")}
        return Knob(
            f"standbys.{name}.zone", group, "Zone", f"Where it is; {upstream} is in {zone_of(scenario, upstream)}.",
            zone_of(scenario, name), tuple(sorted(known)), str, lambda zone: {f"standbys.{name}.zone": zone},
            ordered=False,
        )  # fmt: skip
    row = _Row(
        f"links.{link or links[0]}.latency", "time", 0.05 * MS, 200 * MS, "Distance",
        f"The time one way from {upstream}: 0.1 ms is next door, 1 ms another zone, 40 ms another country.",
    )  # fmt: skip
    return _quantity(scenario, row, group, row.path)


def _routing(scenario: Scenario, group: str, name: str) -> Iterator[Knob]:
    if group == "Writers":
        return
    part = "readers" if group == "Readers" else "sessions"
    path, held = f"{part}.{name}.route", _at(scenario, f"{part}.{name}.route").model_dump(mode="json")
    words = ROUTES | {node: f"only {node}" for node in scenario.standbys}
    now = held if isinstance(held, str) else "as it is"
    offered = words if now in words else {now: "as the scenario has it", **words}
    yield Knob(
        path, f"{group}: {name}", "Reads go to", "Which node a read asks.", now, tuple(offered),
        lambda route: offered.get(route, "as the scenario has it"),
        lambda route: {path: None if route == "as it is" else route}, ordered=False,
    )  # fmt: skip


def _promises(scenario: Scenario, group: str, part: str, name: str) -> Iterator[Knob]:
    """What readers are promised, and what is done for a read that would break it."""
    path, held = f"{part}.{name}", _at(scenario, f"{part}.{name}")
    if held.route.policy == "quorum":  # which takes what it gets
        return
    words = PROMISES if part == "sessions" else {each: PROMISES[each] for each in ("none", "bounded_staleness")}
    offered = words if held.guarantee in words else {held.guarantee: held.guarantee, **words}

    def write(promise: str) -> Changes:
        bound = "100ms" if promise == "bounded_staleness" else None
        by = {f"{path}.by": None} if promise == "none" else {}
        return {f"{path}.guarantee": promise, f"{path}.bound": bound, **by}

    yield Knob(
        f"{path}.guarantee", group, "Promise", "What every read must see, whatever it costs.",
        held.guarantee, tuple(offered), lambda promise: offered.get(promise, promise), write, ordered=False,
    )  # fmt: skip
    if held.promises:
        yield Knob(
            f"{path}.by", group, "Kept by", "What a read does at a standby that is behind.", held.by,
            tuple(KEPT_BY), KEPT_BY.__getitem__, lambda by: {f"{path}.by": by}, ordered=False,
        )  # fmt: skip


def _rows(scenario: Scenario, rows: tuple[_Row, ...], group: str, name: str) -> Iterator[Knob]:
    for row in rows:
        path = row.path.format(name)
        delays_reads = row.path.endswith("apply_delay") and any(each.contends for each in scenario.readers.values())
        if _at(scenario, path) is not None and not delays_reads:
            yield _quantity(scenario, row, group, path)


def _quantity(scenario: Scenario, row: _Row, group: str, path: str) -> Knob:
    held = _at(scenario, path)
    value = typical(held) if isinstance(held, Distribution) else held
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


def typical(held: Distribution[Any]) -> int:
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


def _at(scenario: Scenario, path: str) -> Any:
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
