"""The settings of a study: a scenario as it stands, and as it is with some values changed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
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
    """A scenario, where it comes from, and the values that a study gives it."""

    base: Scenario
    """The scenario without the changes."""
    folder: Path
    source: str = ""
    """The file, or the shipped scenario's name, as the user wrote it; empty for a scenario made in Python."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """The values by path, as ``--set`` takes them."""

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario with the changes, checked.  Raises `ScenarioError`."""
        return self.load()

    @property
    def label(self) -> str:
        """What tells it from its neighbours: its changes, or its name."""
        return ", ".join(f"{path}={value}" for path, value in self.changes.items()) or self.base.name

    def changed(self, changes: Mapping[str, str]) -> Setting:
        """The same scenario with more values changed, not checked yet."""
        return Setting(self.base, self.folder, self.source, {**self.changes, **changes})

    def load(self) -> Scenario:
        """The scenario with the changes, made anew and kept by nobody.  Raises `ScenarioError`."""
        if not self.changes:
            return self.base
        if self.source:
            return front.load(self.source, overrides=self.changes)
        text, checks = reader.dumps(self.base), (front.metric_problems,)
        return reader.loads(text, folder=self.folder, overrides=self.changes, checks=checks)

    def parcel(self) -> Parcel:
        """The scenario as it travels."""
        return pack(self.load(), self.folder)

    def command(self, *more: str) -> str:
        """The command that runs it; what a scenario made in Python is called stands in for its file."""
        words = ["replsim", "run", self.source or f"{self.base.name}.yaml"]
        for path, value in self.changes.items():
            words += ["--set", f"{path}={value}"]
        return shlex.join([*words, *more])


def setting(scenario: Scenario | str | Path, overrides: Mapping[str, str] | None = None) -> Setting:
    """The setting that a scenario, a file or a shipped scenario's name stands for.  Raises `ScenarioError`."""
    if isinstance(scenario, Scenario):
        found = Setting(scenario, Path(), "", dict(overrides or {}))
    else:
        file = front.find(scenario)
        found = Setting(front.load(file), file.parent, str(scenario), dict(overrides or {}))
    if overrides:
        found.load()
    return found


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
