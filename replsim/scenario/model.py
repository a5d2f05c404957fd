"""The scenario: everything a run depends on, in one frozen value."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, ValidationInfo, model_validator

from replsim.errors import ScenarioError
from replsim.rules.acks import Level
from replsim.scenario.base import Part
from replsim.scenario.checks import problems
from replsim.scenario.clients import Background, Reader, Session, Writer
from replsim.scenario.expect import Expectation
from replsim.scenario.network import Link, LinkName, Zones
from replsim.scenario.nodes import Primary, Standby
from replsim.scenario.profiles import PROFILES, Profile
from replsim.units import Duration, parse_duration

__all__ = ["Scenario"]

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][\w\-]*$")]


class Scenario(Part):
    """A cluster, its network, its clients, and what is expected of them."""

    name: str
    question: str = ""
    """The question that this scenario asks, in a sentence."""
    finding: str = ""
    """The answer, in a sentence."""
    profile: str = "postgresql"
    """The database: ``postgresql``."""
    duration: Duration
    """Simulated time, the warm-up included."""
    warmup: Duration = 0
    """Nothing before this moment counts in a metric."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    wakeup: Duration = parse_duration("50us")
    """The cost of each hand-off between processes: the time until the one that is woken runs."""
    primary: Primary = Primary()
    standbys: dict[Name, Standby] = {}
    links: dict[LinkName, Link] = {}
    """By pair of nodes, ``'p -> s1'``; a pair holds both ways unless the way back is given too."""
    zones: Zones | None = None
    writers: dict[Name, Writer] = {}
    background: Background | None = None
    readers: dict[Name, Reader] = {}
    sessions: dict[Name, Session] = {}
    expect: tuple[Expectation, ...] = ()

    @model_validator(mode="after")
    def _sound(self, info: ValidationInfo) -> Self:
        # A reader of files checks later itself, to give each problem its line.
        if not (info.context or {}).get("checks_later"):
            found = problems(self)
            if found:
                raise ValueError("\n".join(map(str, found)))
        return self

    @property
    def settings(self) -> Profile:
        """The database's profile."""
        return PROFILES[self.profile]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The primary, then the standbys in the scenario's order."""
        return (self.primary.name, *self.standbys)

    def upstream(self, standby: str) -> str:
        """The node that ``standby`` streams from."""
        return self.standbys[standby].upstream or self.primary.name

    @property
    def direct(self) -> tuple[str, ...]:
        """The standbys that stream from the primary itself: only these can be synchronous."""
        return tuple(name for name in self.standbys if self.upstream(name) == self.primary.name)

    def level(self, own: Level | None) -> Level:
        """The ``synchronous_commit`` in force for a writer that sets its ``own`` (or none)."""
        return own or self.primary.synchronous_commit

    def changed(self, **changes: Any) -> Self:
        """This scenario with top-level fields replaced, checked anew.  Raises `ScenarioError`."""
        from pydantic import ValidationError

        from replsim.errors import Problem

        fields = {name: getattr(self, name) for name in type(self).model_fields}
        try:
            return type(self).model_validate(fields | changes)
        except ValidationError as error:
            raise ScenarioError([Problem(tuple(e["loc"]), e["msg"]) for e in error.errors()]) from None
