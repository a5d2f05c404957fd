"""What breaks, or is done to the cluster, during a run: one class a fault, chosen by its verb.

``{at: 30s, for: 5s, cut: p -> s1}`` happens once; ``{every: {exponential: 10min}, for: 2s, pause: s1}`` again and
again.  Without ``for`` it lasts to the end of the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self, Union

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from replsim.randomness import DurationDistribution
from replsim.scenario.base import Name, Part, Whole
from replsim.scenario.network import LinkName
from replsim.scenario.spelling import did_you_mean
from replsim.units import Bandwidth, Duration, Fraction

__all__ = [
    "FAULTS",
    "AnyFault",
    "Cancel",
    "Crash",
    "Cut",
    "Delay",
    "Fault",
    "LinkFault",
    "Load",
    "Lose",
    "Partition",
    "Pause",
    "PauseReplay",
    "Query",
    "Restart",
    "Skew",
    "Slow",
    "Stall",
    "Switchover",
    "Throttle",
    "verb_of",
]

How = Literal["silent", "reset"]


class Fault(Part):
    """When it happens, and for how long."""

    model_config = ConfigDict(serialize_by_alias=True)

    at: Duration | None = None
    """The moment at which it begins; give this or `every`."""
    every: DurationDistribution | None = None
    """Again and again: the time from the start, or from the end of the last one, to the next."""
    for_: Annotated[DurationDistribution | None, Field(alias="for")] = None
    """How long it lasts; without it, to the end of the run."""

    verb: ClassVar[str] = ""
    moment: ClassVar[bool] = False
    """Whether it is done in a moment, so that ``for`` has no meaning."""

    @model_validator(mode="after")
    def _when(self) -> Self:
        if (self.at is None) == (self.every is None):
            raise ValueError("say when: give exactly one of at and every, such as 'at: 30s'")
        if self.moment and self.for_ is not None:
            raise ValueError(f"{self.verb} is done in a moment: leave 'for' out")
        if self.every is not None and self.for_ is None and not self.moment:
            raise ValueError("comes again and again, so say for how long each time, such as 'for: 5s'")
        if self.every is not None and self.every.mean == 0:
            raise ValueError("every must be above zero: it is the time to the next one")
        if self.for_ is not None and self.for_.mean == 0:
            raise ValueError("for must be above zero: a fault that lasts no time is none")
        return self

    @property
    def turns(self) -> int:
        """How many times ``for`` passes."""
        return 1

    @property
    def target(self) -> Any:
        """What it happens to: the value of its verb."""
        return getattr(self, self.verb)

    def __str__(self) -> str:
        target = self.target
        if isinstance(target, tuple):
            target = " | ".join(" ".join(group) if isinstance(group, tuple) else group for group in target)
        return f"{self.verb} {target}"


class Crash(Fault):
    """A node dies.  After ``for`` it is up again, by itself and with what was on its disk."""

    verb = "crash"
    crash: Name
    """The node."""
    of: Literal["host", "process"] = "host"
    """``host``: the machine dies, silently.  ``process``: the database alone; its peers are told at once."""
    in_flight: Literal["lost", "arrives"] = "lost"
    """Whether bytes that a dying host has sent, and that have not arrived, still do."""


class Pause(Fault):
    """A node's processes stand still, as under SIGSTOP; its kernel goes on answering for it."""

    verb = "pause"
    pause: Name
    """The node."""


class LinkFault(Fault):
    """Something that is wrong with the link between two nodes."""

    ways: Literal["both", "one"] = "both"
    """``one``: only the direction that is written."""


class Cut(LinkFault):
    """Nothing comes through."""

    verb = "cut"
    cut: LinkName
    """The link, such as ``p -> s1``."""
    how: How = "silent"
    """``silent``: packets vanish, and nobody is told.  ``reset``: both ends learn of it at once."""


class Partition(Fault):
    """The network falls into groups that do not reach each other; nodes that no group names are a group too."""

    verb = "partition"
    partition: Annotated[tuple[tuple[Name, ...], ...], Field(min_length=1, examples=["[[p], [s1, s2]]"])]
    """The groups of nodes.  A client, or a member of the failover manager's store, may stand in a group as well;
    one that stands in none reaches every node."""
    how: How = "silent"
    """As for a cut."""


class Delay(LinkFault):
    """A link is slower than it was."""

    verb = "delay"
    delay: LinkName
    """The link."""
    by: DurationDistribution
    """Added to the latency of each message."""


class Throttle(LinkFault):
    """A link has less bandwidth than it had."""

    verb = "throttle"
    throttle: LinkName
    """The link."""
    to: Bandwidth
    """The bandwidth that is left."""


class Lose(LinkFault):
    """A link loses packets in a burst."""

    verb = "lose"
    lose: LinkName
    """The link."""
    share: Annotated[Fraction, Field(gt=0, le=0.9, examples=["10%"])]
    """The fraction of packets lost."""


class Stall(Fault):
    """A node's WAL device does nothing, then goes on."""

    verb = "stall"
    stall: Name
    """The node."""


class Slow(Fault):
    """A node's WAL device takes longer for everything."""

    verb = "slow"
    slow: Name
    """The node."""
    times: Annotated[Whole, Field(ge=2, le=1_000_000, examples=[10])]
    """How many times as long."""


class PauseReplay(Fault):
    """Replay of a standby is paused (``pg_wal_replay_pause``): it goes on receiving and flushing."""

    verb = "pause_replay"
    pause_replay: Name
    """The standby."""


class Query(Fault):
    """A long query on a standby that conflicts with what is replayed next: replay waits for its end, or cancels it
    once ``max_standby_streaming_delay`` is used up."""

    verb = "query"
    query: Name
    """The standby."""


class Load(Fault):
    """A client's work comes faster, or slower, than it would."""

    verb = "load"
    load: Name
    """An open-loop writer or reader."""
    times: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False, examples=[3])]
    """How many times as much."""


class Skew(Fault):
    """A node's clock is wrong.  That bends the lag that is measured with it, and nothing else."""

    verb = "skew"
    skew: Name
    """The node."""
    ahead: Duration | None = None
    """How far it is ahead; give this or `behind`."""
    behind: Duration | None = None
    """How far it is behind."""

    @model_validator(mode="after")
    def _which_way(self) -> Self:
        if (self.ahead is None) == (self.behind is None):
            raise ValueError("give exactly one of ahead and behind, such as 'ahead: 2s'")
        return self

    @property
    def offset(self) -> int:
        """What the node's clock shows minus the time, in nanoseconds."""
        return self.ahead if self.ahead is not None else -(self.behind or 0)


class Cancel(Fault):
    """Every client of a group that waits for standbys at this moment cancels its wait.  The commit stands, and is
    acknowledged by the primary alone (PostgreSQL warns: it may not have been replicated)."""

    verb = "cancel"
    moment = True
    cancel: Name
    """A writer or sessions."""


class Switchover(Fault):
    """Planned: the primary stops and a standby takes over once it has all of the WAL."""

    verb = "switchover"
    moment = True
    switchover: Name
    """The standby that takes over."""


class Restart(Fault):
    """Planned: nodes are restarted one after the other, each once the last streams again."""

    verb = "restart"
    restart: Annotated[tuple[Name, ...], Field(min_length=1, examples=["[s1, s2, p]"])]
    """The nodes, in this order; ``for`` is how long each is down."""
    hand_over_to: Name | None = None
    """The primary's turn is a switchover to this standby, which it then follows; without it, it is down like others."""

    @property
    def turns(self) -> int:
        """How many times ``for`` passes."""
        return len(self.restart)


FAULTS: Final[dict[str, type[Fault]]] = {
    fault.verb: fault
    for fault in (
        Crash, Pause, Cut, Partition, Delay, Throttle, Lose, Stall, Slow, PauseReplay, Query, Load, Skew, Cancel,
        Switchover, Restart,
    )
}  # fmt: skip
"""Every fault by its verb."""


def verb_of(value: Any) -> str | None:
    """The verb of a fault, as it is written or as it is held; None where it has none, or several."""
    if isinstance(value, Fault):
        return value.verb
    verbs = [key for key in value if key in FAULTS] if isinstance(value, dict) else []
    return verbs[0] if len(verbs) == 1 else None


def _with_verb(value: Any) -> Any:
    """Refuse what says nothing that could happen, or several things at once."""
    if isinstance(value, Fault) or verb_of(value) is not None:
        return value
    example = "{at: 30s, for: 5s, cut: p -> s1}"
    if not isinstance(value, dict):
        raise ValueError(f"expected a fault such as '{example}', got {value!r}")
    verbs = [key for key in value if key in FAULTS]
    if verbs:
        raise ValueError(f"says {' and '.join(verbs)}: write each as a fault of its own")
    known = {"at", "every", "for"}
    odd = [str(key) for key in value if key not in known]
    hint = did_you_mean(odd[0], FAULTS, "faults") if odd else f" (faults: {', '.join(FAULTS)})"
    raise ValueError(f"says when, but not what happens{hint}; for example '{example}'")


def _tag(value: Any) -> str:
    return f"<{verb_of(value)}>"


if TYPE_CHECKING:
    AnyFault = Fault
else:
    # A tag in angle brackets is a word that no file has, so that it cannot be taken for a key.
    AnyFault = Annotated[
        Union[tuple(Annotated[fault, Tag(f"<{verb}>")] for verb, fault in FAULTS.items())],  # noqa: UP007 - computed
        Discriminator(_tag),
        BeforeValidator(_with_verb),
    ]
    """One of `FAULTS`, chosen by its verb."""
