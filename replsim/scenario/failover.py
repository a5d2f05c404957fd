"""Who promotes a standby when the primary is gone: one class a manager, chosen by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union

from pydantic import BeforeValidator, Discriminator, Field, Tag

from replsim.randomness import DurationDistribution
from replsim.rules.synchronous import Mode
from replsim.scenario.base import Count, Name, Part
from replsim.scenario.spelling import did_you_mean
from replsim.units import Bandwidth, Duration, Size, parse_bandwidth, parse_duration, parse_size

__all__ = ["MANAGERS", "AnyFailover", "Failover", "Manual", "NoFailover", "Patroni", "Quorum", "Rejoin"]

SynchronousMode = Literal["off", "on", "strict", "quorum"]


def _times(value: Any) -> DurationDistribution:
    return DurationDistribution.model_validate(value)


class Rejoin(Part):
    """How a primary that has been replaced becomes a standby of the new one, once it is up again."""

    by: Literal["rewind", "rebuild", "never"] = "rewind"
    """``rewind``: pg_rewind undoes what the new primary does not have.  ``rebuild``: a new base backup."""
    rewind: DurationDistribution = Field(default_factory=lambda: _times("10s"))
    """The time that pg_rewind takes."""
    data: Size = parse_size("10 GB")
    """The size of a base backup."""
    bandwidth: Bandwidth = parse_bandwidth("100 MB/s")
    """How fast a base backup is copied."""


class Failover(Part):
    """What all managers have in common."""

    manager: str
    """Its name."""
    promotion: DurationDistribution = Field(default_factory=lambda: _times("0.1s"))
    """The time that a standby needs to open for writes once it has replayed all that it has received."""
    routing: DurationDistribution = Field(default_factory=lambda: _times({"uniform": {"low": "2s", "high": "10s"}}))
    """From the promotion until clients are led to the new primary."""
    fencing: bool = True
    """The old primary takes no more writes from the moment of the promotion on, as under a watchdog.  Without it, one
    that still runs goes on taking writes until it learns of the new one: split brain."""
    rejoin: Rejoin = Rejoin()
    """How the old primary comes back."""


class NoFailover(Failover):
    """Nobody promotes anything: a primary that is down is down."""

    manager: Literal["none"]
    """``none``."""


class Manual(Failover):
    """An operator promotes a standby at a given time, whatever the primary does."""

    manager: Literal["manual"]
    """``manual``."""
    at: Duration
    """The moment at which the operator promotes."""
    promote: Name
    """The standby to promote."""


class Patroni(Failover):
    """Patroni: a lease in a store, which the leader renews and the others race for once it has run out."""

    manager: Literal["patroni"]
    """``patroni``."""
    ttl: Annotated[Duration, Field(gt=0)] = parse_duration("30s")
    """How long the leader's lease holds after it was last renewed."""
    loop_wait: Annotated[Duration, Field(gt=0)] = parse_duration("10s")
    """Each node looks at the store this often: the lease is renewed, and positions are published."""
    retry_timeout: Duration = parse_duration("10s")
    """A leader whose look does not reach the store tries again for so long, and then steps down."""
    primary_start_timeout: Duration = parse_duration("300s")
    """How long a primary whose process alone died may take to start again (its ``for``) before others take over."""
    maximum_lag_on_failover: Size = parse_size("1 MiB")
    """A standby takes part in the race only while it is at most so far behind the last *published* position."""
    synchronous_mode: SynchronousMode = "off"
    """``on``: the manager names the synchronous standbys, and only they promote; without one the primary goes on alone.
    ``strict``: it does not go on alone.  ``quorum``: ``ANY n``, and enough voters are asked for their positions."""
    synchronous_node_count: Count = 1
    """How many synchronous standbys the manager names."""
    use_slots: bool = True
    """The leader has a replication slot for each member, whoever the leader is."""
    member_slots_ttl: Duration = parse_duration("30min")
    """How long the slot of a member is kept after its key in the store has expired (``ttl``)."""
    race: DurationDistribution = Field(default_factory=lambda: _times({"uniform": {"low": "1s", "high": "2s"}}))
    """From the end of the lease until one of the candidates has taken it.

    Each asks all members for their positions first, and waits up to 2 s for one that does not answer (Patroni 4.1.4
    ``ha.py:fetch_node_status``): the dead leader's process refuses at once, its machine does not.
    """
    store: tuple[Name, ...] = ()
    """Where the store's members are: nodes, or names of witnesses; without it one on each node.  A node can use the
    store while it reaches more than half of them."""

    @property
    def names_standbys(self) -> Mode | None:
        """The mode in which it names the synchronous standbys, if it does."""
        return None if self.synchronous_mode == "off" else self.synchronous_mode


class Quorum(Failover):
    """A Raft-like manager: a majority of the members elects the one of them with the highest position."""

    manager: Literal["quorum"]
    """``quorum``."""
    heartbeat: Annotated[Duration, Field(gt=0)] = parse_duration("2s")
    """The leader tells the members so often that it is there."""
    election_timeout: Annotated[Duration, Field(gt=0)] = parse_duration("10s")
    """A member that hears nothing for so long calls an election; a leader that hears from no majority steps down."""
    members: tuple[Name, ...] = ()
    """Who votes: nodes, or names of witnesses; without it, every node."""


MANAGERS: Final[dict[str, type[Failover]]] = {
    "none": NoFailover, "manual": Manual, "patroni": Patroni, "quorum": Quorum,
}  # fmt: skip
"""Every manager by its name."""


def _manager(value: Any) -> Any:
    return value.get("manager") if isinstance(value, dict) else getattr(value, "manager", None)


def _tag(value: Any) -> str:
    return f"<{_manager(value)}>"


def _known(value: Any) -> Any:
    """Refuse a manager that there is not."""
    example = "{manager: patroni}"
    if not isinstance(value, dict | Failover):
        raise ValueError(f"expected keys such as '{example}', got {value!r}")
    name = _manager(value)
    if name is None:
        raise ValueError(f"names no manager: write for example '{example}' (managers: {', '.join(MANAGERS)})")
    if name not in MANAGERS:
        raise ValueError(f"there is no manager {name!r}{did_you_mean(str(name), MANAGERS, 'managers')}")
    return value


if TYPE_CHECKING:
    AnyFailover = Failover
else:
    # Tags in angle brackets for the reason given in `replsim.scenario.faults`.
    AnyFailover = Annotated[
        Union[tuple(Annotated[model, Tag(f"<{name}>")] for name, model in MANAGERS.items())],  # noqa: UP007 - computed
        Discriminator(_tag),
        BeforeValidator(_known),
    ]
    """One of `MANAGERS`, chosen by its name."""
