"""The scenario: everything a run depends on, in one frozen value."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, ValidationInfo, model_validator

from replsim.errors import ScenarioError
from replsim.rules.acks import Level
from replsim.scenario.base import Name, Part, Quantity, Whole
from replsim.scenario.checks import problems
from replsim.scenario.clients import Background, Reader, Session, Writer
from replsim.scenario.expect import Expectation
from replsim.scenario.failover import AnyFailover, NoFailover
from replsim.scenario.faults import AnyFault
from replsim.scenario.network import Links, Zones
from replsim.scenario.nodes import Archive, Primary, Standby
from replsim.scenario.profiles import PROFILES, Profile
from replsim.scenario.warmup import Warmup
from replsim.units import SECOND, Duration, parse_duration

__all__ = ["Scenario"]


class Scenario(Part):
    """A cluster, its network, its clients, and what is expected of them."""

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["my-cluster"])]
    """A short name for the scenario."""
    question: str = ""
    """The question that this scenario asks, in a sentence."""
    finding: str = ""
    """The answer, in a sentence."""
    profile: str = "postgresql"
    """The database: ``postgresql``."""
    duration: Annotated[Duration, Field(gt=0, le=366 * 86_400 * SECOND, examples=["60s"])]
    """Simulated time, the warm-up included."""
    warmup: Warmup = 0
    """Nothing before this moment counts in a metric; ``auto`` finds it by MSER-5 when the run has been seen."""
    seed: Annotated[Whole, Field(ge=0, lt=2**63)] = 1
    """The seed of every random draw: the same seed has the same luck."""
    wakeup: Duration = parse_duration("50us")
    """The cost of each hand-off between processes: the time until the one that is woken runs."""
    primary: Primary = Primary()
    """The server that takes the writes."""
    standbys: dict[Name, Standby] = {}
    """The servers that stream from it, or from each other, by name."""
    archive: Archive | None = None
    """Where WAL is kept beside the servers; without it there is no archive."""
    links: Links = {}
    """By pair of nodes, ``'p -> s1'``; a pair holds both ways unless the way back is given too."""
    zones: Zones | None = None
    """Latencies between zones, for the links and clients that do not have their own."""
    writers: dict[Name, Writer] = {}
    """Clients that write, by name."""
    background: Background | None = None
    """The server's own WAL; without it there is none."""
    readers: dict[Name, Reader] = {}
    """Clients that read, by name."""
    sessions: dict[Name, Session] = {}
    """Users who write and then read their own row, by name."""
    faults: tuple[AnyFault, ...] = ()
    """What breaks, or is done to the cluster, and when: ``{at: 30s, for: 5s, cut: p -> s1}``."""
    failover: AnyFailover = NoFailover(manager="none")
    """Who promotes a standby when the primary is gone, and how."""
    measured: dict[str, Quantity] = {}
    """What a real system showed, by metric (``commit_latency.p50: 7.54ms``): printed beside the result."""
    expect: tuple[Expectation, ...] = ()
    """What must hold of the result, such as ``commit_latency.p99 < 20ms``; `replsim run` says whether it does."""

    @model_validator(mode="after")
    def _sound(self, info: ValidationInfo) -> Self:
        # A reader of files checks later itself, to give each problem its line.
        if not (info.context or {}).get("checks_later"):
            found = problems(self)
            if found:
                raise ScenarioError(found)
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

    @property
    def eventful(self) -> bool:
        """Whether anything may happen to a node or a link: a fault that is more than other load, a failover, a full
        disk."""
        devices = (self.primary.wal_device, *(standby.wal_device for standby in self.standbys.values()))
        full = any(device.size is not None for device in devices)
        return full or self.failover.manager != "none" or any(fault.verb != "load" for fault in self.faults)

    def level(self, own: Level | None) -> Level:
        """The ``synchronous_commit`` in force for a writer that sets its ``own`` (or none)."""
        return own or self.primary.synchronous_commit

    def changed(self, **changes: Any) -> Self:
        """This scenario with top-level fields replaced, checked anew.  Raises `ScenarioError`.

        >>> Scenario(name="demo", duration="9s", writers={"app": {"rate": "5/s"}}).changed(duration="1s").duration
        1000000000
        """
        from replsim.scenario.explain import explain

        # What is held as a number is written with its unit again: a bare number would be refused.
        written = self.model_dump(mode="json", include={"duration", "warmup", "wakeup"})
        fields = {name: written.get(name, getattr(self, name)) for name in self.model_fields_set}
        try:
            return type(self).model_validate(fields | changes)
        except ValidationError as error:
            raise ScenarioError(explain(error, type(self))) from None
