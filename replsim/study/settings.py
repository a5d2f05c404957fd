"""The settings of a study: a scenario as it stands, and as it is with some values changed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from replsim import front
from replsim.errors import StudyError
from replsim.scenario import Scenario
from replsim.scenario import yaml as reader
from replsim.study.parcel import Parcel, pack

__all__ = ["Seeds", "Setting", "seed_list", "setting"]

Seeds = int | Sequence[int]
"""How many seeds, from the scenario's own on; or which."""

LARGEST_SEED: Final = 2**63


@dataclass(frozen=True)
class Setting:
    """A scenario with the values that a study gave it, and where it comes from."""

    scenario: Scenario
    folder: Path
    source: str = ""
    """The file, or the shipped scenario's name, as the user wrote it; empty for a scenario made in Python."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """The values by path, as ``--set`` takes them."""

    @property
    def label(self) -> str:
        """What tells it from its neighbours: its changes, or its name."""
        return ", ".join(f"{path}={value}" for path, value in self.changes.items()) or self.scenario.name

    def changed(self, changes: Mapping[str, str]) -> Setting:
        """The same scenario with more values changed, checked anew.  Raises `ScenarioError`."""
        every = {**self.changes, **changes}
        if self.source:
            return Setting(front.load(self.source, overrides=every), self.folder, self.source, every)
        # Of a scenario made in Python the earlier changes are in it already.
        scenario = reader.loads(
            reader.dumps(self.scenario), folder=self.folder, overrides=changes, checks=(front.metric_problems,)
        )
        return Setting(scenario, self.folder, "", every)

    def parcel(self) -> Parcel:
        """The scenario as it travels."""
        return pack(self.scenario, self.folder)

    def command(self, *more: str) -> str:
        """The command that runs it; what a scenario made in Python is called stands in for its file."""
        words = ["replsim", "run", self.source or f"{self.scenario.name}.yaml"]
        for path, value in self.changes.items():
            words += ["--set", f"{path}={value}"]
        return shlex.join([*words, *more])


def setting(scenario: Scenario | str | Path, overrides: Mapping[str, str] | None = None) -> Setting:
    """The setting that a scenario, a file or a shipped scenario's name stands for.  Raises `ScenarioError`."""
    if isinstance(scenario, Scenario):
        found = Setting(scenario, Path())
        return found.changed(overrides) if overrides else found
    file = front.find(scenario)
    return Setting(front.load(file, overrides=overrides), file.parent, str(scenario), dict(overrides or {}))


def seed_list(seeds: Seeds, scenario: Scenario) -> tuple[int, ...]:
    """The seeds: so many from the scenario's own on, or those given, each once.

    >>> seed_list(3, Scenario(name="demo", duration="9s", seed=42, writers={"app": {"rate": "5/s"}}))
    (42, 43, 44)
    """
    chosen = tuple(range(scenario.seed, scenario.seed + seeds)) if isinstance(seeds, int) else tuple(seeds)
    if not chosen:
        raise StudyError("a study needs at least one seed")
    if len(set(chosen)) != len(chosen):
        raise StudyError("a seed is given twice: a run that is counted twice makes intervals that are too narrow")
    if not all(0 <= seed < LARGEST_SEED for seed in chosen):
        raise StudyError("a seed is a whole number from 0 to 2**63 - 1")
    return chosen
