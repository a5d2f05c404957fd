"""Which engine runs a scenario, and why: known before it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Final, NamedTuple

from replsim.errors import UnsupportedScenario
from replsim.record import Record
from replsim.scenario import Scenario

__all__ = ["ENGINES", "Choice", "choose", "sections", "simulate"]

ENGINES: Final = ("auto", "events", "stages", "postgres")
"""The engines that ``run`` takes by name."""


class Choice(NamedTuple):
    """An engine, and the reason for it."""

    engine: str
    reason: str


def choose(scenario: Scenario, engine: str = "auto") -> Choice:
    """The engine for ``scenario``: the one asked for, or the faster of those that can run it.

    Both simulators give the same record, so the choice changes nothing but the time that it takes.  Raises
    `UnsupportedScenario` for an engine that there is not, or that cannot run this.
    """
    from replsim.engines import stages

    if engine not in ENGINES:
        raise UnsupportedScenario(f"there is no engine {engine!r}; there are {', '.join(ENGINES)}")
    if engine in ("events", "postgres"):
        return Choice(engine, "asked for")
    reasons = stages.covers(scenario)
    if find_spec("numba") is None:
        reasons.insert(0, "numba is not installed; with it, open-loop scenarios run a hundred times faster")
    if engine == "stages" and reasons:
        raise UnsupportedScenario(f"the engine 'stages' cannot run this: {'; '.join(reasons)}")
    if engine == "stages":
        return Choice(engine, "asked for")
    return Choice("events", "; ".join(reasons)) if reasons else Choice("stages", "nothing in it waits for an answer")


def sections(
    scenario: Scenario, seed: int, engine: str, reach: int, progress: Callable[[float], None] | None = None
) -> tuple[Iterator[Record], str]:
    """Run ``scenario`` in sections, which only the stage engine does; why it was this engine.

    Raises `UnsupportedScenario` for what that does not run, also where this shows only as it runs.
    """
    from replsim.engines import stages

    choice = choose(scenario, engine)
    if choice.engine != "stages":
        raise UnsupportedScenario(f"only the engine 'stages' can run without keeping the record: {choice.reason}")
    return stages.sections(scenario, seed, reach=reach, progress=progress), choice.reason


def simulate(
    scenario: Scenario, seed: int, engine: str = "auto", progress: Callable[[float], None] | None = None
) -> tuple[Record, str]:
    """Run ``scenario`` in the engine that `choose` names; returns its record, and why it was this engine.

    A pool of connections that runs dry is found as the stage engine runs: then the event engine starts over.
    """
    choice = choose(scenario, engine)
    reason = choice.reason
    if choice.engine == "postgres":
        from replsim.engines import postgres

        return postgres.run(scenario, seed, progress), reason
    if choice.engine == "stages":
        from replsim.engines import stages

        try:
            return stages.run(scenario, seed, progress), reason
        except UnsupportedScenario as found:
            if engine == "stages":
                raise
            reason = str(found)
    from replsim.engines import events

    return events.run(scenario, seed, progress), reason
