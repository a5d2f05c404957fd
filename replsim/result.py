"""What a run gives back: its record, and what the analysis makes of it when it is asked."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from replsim import summary
from replsim.record import Record, Table, Trajectory
from replsim.scenario import Scenario

if TYPE_CHECKING:
    from replsim.analysis.expectations import Check
    from replsim.analysis.facts import Facts
    from replsim.plots import Plot

__all__ = ["Provenance", "Result", "measurement"]


@dataclass(frozen=True, eq=False)
class Result:
    """The outcome of one run.  Facts lie in its record; every number is worked out when it is first asked for."""

    record: Record
    engine_reason: str
    """Why this engine ran it."""

    @property
    def scenario(self) -> Scenario:
        """What was asked."""
        return self.record.scenario

    @property
    def seed(self) -> int:
        """The seed of every random stream."""
        return self.record.seed

    @property
    def engine(self) -> str:
        """The engine that ran it."""
        return self.record.engine

    @cached_property
    def commits(self) -> Table:
        """One row a transaction, in the order of the log, with its ``fate`` and whether it was ``seen_by_reader``."""
        from replsim.analysis.ledger import FATES, fates
        from replsim.analysis.seen import seen_by_readers

        table = self.record.commits
        columns = {**table, "fate": fates(self.facts), "seen_by_reader": seen_by_readers(self.facts)}
        return Table(columns, times=table.times, words={**table.words, "fate": FATES})

    @property
    def events(self) -> Table:
        """What happened besides: when, where, what."""
        return self.record.events

    @cached_property
    def reads(self) -> Table:
        """One row a read: what it saw, and what it should have seen."""
        from replsim.analysis.reads import facts_reads

        return facts_reads(self.facts)

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        """Every metric by name, in SI units, each computed when it is first looked up."""
        from replsim.analysis.registry import Metrics

        return Metrics(self.facts)

    @cached_property
    def facts(self) -> Facts:
        """What reads and metrics derive from the record, once for all."""
        from replsim.analysis.facts import Facts

        return Facts(self.record)

    @property
    def plot(self) -> Plot:
        """Its figures: ``result.plot.lag()`` and so on.  Raises `MissingExtra` where plotly is not installed."""
        from replsim.plots import Plot

        return Plot(self)

    def position(self, node: str, stage: str) -> Trajectory:
        """The position of a node at a stage over time, such as ``position("s1", "apply").at(t)``."""
        return self.record.position(node, stage)

    def moving(self, metrics: Iterable[str] | None = None) -> list[str]:
        """Which of the series behind some metrics (None: all) had not settled: ``commit_latency``, ``s1.lag``.

        A mean of such a series grows with the duration of the run, and says nothing of a steady state.
        """
        from replsim.analysis import settling

        names = self.metrics if metrics is None else metrics
        series = {series for name in names for series in settling.series_of(name, self.scenario)}
        return settling.moving(self.facts, series)

    @cached_property
    def expectations(self) -> Sequence[Check]:
        """What the scenario expects, each with the metric's value and whether it held."""
        from replsim.analysis import expectations

        return expectations.check(self.scenario, self.metrics)

    @cached_property
    def measured(self) -> Mapping[str, float]:
        """What a real system showed, by metric and in SI units, where the scenario says so."""
        return {name: measurement(name, quantity) for name, quantity in self.scenario.measured.items()}

    @property
    def held(self) -> bool:
        """Whether every expectation held; true where nothing is expected."""
        return all(check.held for check in self.expectations)

    @cached_property
    def provenance(self) -> Provenance:
        """All that is needed to make this result again, and a hash to know it by."""
        return Provenance(self.record, self.engine_reason)

    def to_dict(self) -> dict[str, Any]:
        """Scenario, engine, seed, metrics in SI units and expectations, as JSON has them: None for not a number."""
        return {
            "scenario": self.scenario.name,
            "engine": self.engine,
            "seed": self.seed,
            "metrics": {name: _number(value) for name, value in self.metrics.items()},
            "expectations": [
                {"expectation": str(check.expectation), "value": _number(check.value), "held": bool(check.held)}
                for check in self.expectations
            ],
        }

    def to_json(self, *, indent: int | None = 2) -> str:
        """The text of `to_dict`; the same for the same scenario and seed."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def lag_lines(self, width: int) -> dict[str, str]:
        """Each standby's lag over the run, as a line of bars."""
        return summary.lag_lines(self.record, width)

    def __repr__(self) -> str:
        state = "held" if self.held else "not held"
        what = f", expectations {state}" if self.expectations else ""
        return f"<Result of {self.scenario.name!r}: {len(self.record.commits)} commits, seed {self.seed}{what}>"

    def _repr_html_(self) -> str:
        return summary.html(self.scenario, self.metrics, self.expectations, self.lag_lines(32))


@dataclass(frozen=True, eq=False)
class Provenance:
    """Where a result comes from."""

    record: Record
    engine_reason: str

    @cached_property
    def scenario(self) -> str:
        """The scenario in its canonical YAML; it names its sample files, and does not hold them."""
        from replsim.scenario import yaml

        return yaml.dumps(self.record.scenario)

    @cached_property
    def versions(self) -> dict[str, str]:
        """The versions of what computed it."""
        from importlib.metadata import version

        packages = ("replsim", "numpy", "scipy", "numba" if self.record.engine == "stages" else "simpy")
        return {"python": platform.python_version(), **{package: version(package) for package in packages}}

    @cached_property
    def hash(self) -> str:
        """A hash of the record's columns: the same on every machine for the same scenario and seed."""
        return self.record.digest()

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON has it, the hash included."""
        return {
            "scenario": self.scenario,
            "seed": self.record.seed,
            "engine": self.record.engine,
            "engine_reason": self.engine_reason,
            "notes": list(self.record.notes),
            "versions": self.versions,
            "hash": self.hash,
        }


def measurement(metric: str, quantity: object) -> float:
    """A measured quantity in its metric's unit.  Raises `UnknownMetric`, or `UnitError` where it does not fit."""
    from replsim.analysis import expectations
    from replsim.scenario.expect import Expectation

    expected = TypeAdapter(Expectation).validate_python(
        {"metric": metric, "comparison": "==", "quantity": str(quantity)}
    )
    return expectations.bound_of(expected)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
