"""Who uses the cluster: writers, readers, sessions of users, and the server's own background work."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_serializer, model_validator

from replsim.randomness import DurationDistribution, SizeDistribution
from replsim.randomness.distributions import Empirical
from replsim.rules.acks import Level
from replsim.rules.promises import Promise
from replsim.rules.routing import Route
from replsim.scenario.base import Count, Name, Part, Whole
from replsim.units import Bandwidth, Duration, Rate, Size, parse_bandwidth, parse_size

__all__ = [
    "Arrivals",
    "Background",
    "Bursts",
    "Cold",
    "Keys",
    "RatePoint",
    "Reader",
    "Retry",
    "Schedule",
    "Session",
    "Way",
    "Writer",
]


def _zero() -> DurationDistribution:
    return DurationDistribution.model_validate("0s")


class Keys(Part):
    """Which row a transaction or a read touches.  A key is a number; the same number is the same row for all."""

    count: Annotated[Whole, Field(ge=1, le=100_000_000, examples=[100_000])]
    """The number of rows."""
    zipf: Annotated[float, Field(ge=0, le=10)] = 0.0
    """The exponent of the popularity law: key k has weight (k + 1) ** -zipf; 0 is uniform."""
    lock: bool = False
    """A writer holds its row's lock until the commit is visible, so writers of one row take turns."""


class Bursts(Part):
    """Poisson arrivals that come in bursts: at the writer's ``rate`` while on, none while off."""

    on: DurationDistribution
    """How long a burst lasts; the run starts with one."""
    off: DurationDistribution
    """How long the silence after a burst lasts."""


class Arrivals(Part):
    """When work arrives: ``poisson``, ``deterministic``, ``{bursts: {on: 2s, off: 8s}}``, or times from a file."""

    process: Literal["poisson", "deterministic"] | None = None
    """``poisson`` (independent of each other) or ``deterministic`` (evenly spaced); as one word for all."""
    bursts: Bursts | None = None
    """Poisson at the client's ``rate`` while a burst is on, and nothing while it is off."""
    replayed: Empirical[Duration] | None = None
    """Arrival times since the start, one a row of a CSV file, in order: ``{replayed: {file: …, unit: s}}``."""

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        return {"process": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(option is not None for option in (self.process, self.bursts, self.replayed)) != 1:
            raise ValueError("give exactly one of poisson, deterministic, bursts or replayed")
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: Any) -> Any:
        given = {name: value for name, value in handler(self).items() if value is not None}
        return given.get("process", given)


class RatePoint(Part):
    """The rate from a moment on."""

    at: Duration
    """The moment, since the start (of the period)."""
    rate: Rate
    """The rate at that moment; it changes in a straight line to the next point's."""


class Schedule(Part):
    """A rate that changes over time, such as a daily curve: straight lines between the points."""

    points: Annotated[tuple[RatePoint, ...], Field(min_length=1)]
    """Moments and their rates, in order of time; the first is at 0s."""
    period: Duration | None = None
    """Repeat after this time; without it the last rate holds on."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        times = [point.at for point in self.points]
        if times[0] != 0 or any(a >= b for a, b in pairwise(times)):
            raise ValueError("points must start at 0s and come in order of time")
        if self.period is not None and self.period <= times[-1]:
            raise ValueError("period must be later than the last point")
        if max(point.rate for point in self.points) == 0:
            raise ValueError("at least one rate must be above zero")
        return self


class Cold(Part):
    """What an execution takes longer on a connection that has not worked for a while: its caches have gone cold."""

    extra: Duration
    """What it takes longer after a very long pause, and on a connection's first transaction."""
    half_after: Annotated[Duration, Field(gt=0)]
    """The pause, from the start of the connection's last transaction, after which it is half of that."""

    def extra_after(self, pause: int | None) -> int:
        """What the execution takes longer after ``pause`` (None: there was no transaction before), in nanoseconds."""
        return self.extra if pause is None else self.extra * pause // (pause + self.half_after)


class Retry(Part):
    """What clients do about a transaction that failed, or whose outcome they do not know: they submit it again.

    The outcome of the attempt before stays what it was; one that was unknown may have been a commit, which then stands
    twice.
    """

    after: Annotated[Duration, Field(gt=0)]
    """How long after they knew of it."""
    attempts: Count = 3
    """How many more times, before they give it up."""


class Writer(Part):
    """Clients that write.  Open loop: work arrives at a ``rate`` (or by ``schedule``) whatever the answers do,
    through a pool of ``connections``.  Closed loop: ``clients`` of them, each waiting for its own answer."""

    arrivals: Arrivals = Arrivals(process="poisson")
    """The law by which an open-loop writer's transactions arrive."""
    rate: Rate | None = None
    """An open-loop writer's transactions a second."""
    schedule: Schedule | None = None
    """A rate that changes over time, in place of ``rate``."""
    connections: Count = 20
    """The pool of an open-loop writer: work that finds no free connection waits for one."""

    clients: Count | None = None
    """The number of closed-loop clients."""
    think: DurationDistribution = Field(default_factory=_zero)
    """A closed-loop client's pause: after an answer (synchronous) or after a submission (asynchronous)."""
    in_flight: Count = 1
    """1: a client blocks until its commit is acknowledged.  More: it goes on with up to so many unacknowledged."""
    poll: Annotated[Duration, Field(gt=0)] | None = None
    """An asynchronous client asks for the outcome this often; without it a callback tells it at once."""

    network: DurationDistribution | None = None
    """One way between the client and the primary; without it the zones decide, and without zones it is zero."""
    zone: Name | None = None
    """The zone that the clients are in."""
    execution: DurationDistribution = Field(default_factory=_zero)
    """What a transaction does before its commit record, on the primary."""
    cold: Cold | None = None
    """What `execution` takes longer after a pause; without it a pause does not matter."""
    record: SizeDistribution = Field(default_factory=lambda: SizeDistribution.model_validate("600 B"))
    """Bytes of WAL a transaction."""
    records: Count = 1
    """WAL records a transaction, each of which costs a standby its replay time."""
    chunk: Annotated[Size, Field(gt=0)] | None = None
    """A transaction writes its WAL in chunks of this size while it executes, and the rest at its commit."""
    keys: Keys | None = None
    """The row that each transaction writes; without it nobody asks which row it was."""
    synchronous_commit: Level | None = None
    """As a session may set it; without it the primary's setting holds."""
    timeout: Annotated[Duration, Field(gt=0)] | None = None
    """How long after a transaction was sent its client's driver gives it up; without it the client waits for ever."""
    at_timeout: Literal["cancel", "disconnect"] = "cancel"
    """``cancel``: the server is asked to end it, and a commit that waits for standbys is then acknowledged by the
    primary alone.  ``disconnect``: the connection is closed; the outcome stays unknown, and the server goes on."""
    statement_timeout: Annotated[Duration, Field(gt=0)] | None = None
    """The server ends a transaction that executes, or waits for a lock, for so long.  It never ends a commit's wait."""
    retry: Retry | None = None
    """Transactions that fail, or whose outcome is not known, are submitted again; without it they are given up."""


class Background(Part):
    """The server's own WAL: vacuum, index builds, COPY.  Nobody waits for it, but it shares every stage."""

    wal: Bandwidth = parse_bandwidth("5 MB/s")
    """Bytes of WAL a second, evenly."""
    record: Annotated[Size, Field(gt=0)] = parse_size("8 kB")
    """Bytes of WAL a record, each of which costs a standby its replay time."""


class Way(Part):
    """The network between readers and one node."""

    network: DurationDistribution
    """One way to the node."""
    reply: DurationDistribution | None = None
    """The way back; without it as ``network``."""


class Reader(Promise, Part):
    """Clients that read one row (or anything), at a rate, without being held up by the answers."""

    arrivals: Arrivals = Arrivals(process="poisson")
    """The law by which reads arrive."""
    rate: Rate | None = None
    """Reads a second."""
    schedule: Schedule | None = None
    """A rate that changes over time, in place of ``rate``."""
    route: Route = Route(policy="round_robin")
    """Which node a read goes to."""
    keys: Keys | None = None
    """The rows it reads; without it a read is judged against the whole log only."""
    network: DurationDistribution | None = None
    """One way between the reader and any node; without it the zones decide, and without zones it is zero."""
    reply: DurationDistribution | None = None
    """The way back from any node, where it differs from the way there."""
    ways: dict[Name, Way] = {}
    """The way to a node that has its own, by node."""
    contends: bool = False
    """Its reads take time from replay: a standby replays at 1 - r of its speed, at least a twentieth, where they keep a
    share r of its `read_capacity` busy."""
    zone: Name | None = None
    """The zone that the readers are in."""


class Session(Promise, Part):
    """Users who write and then read their own row, so that 'your' in read-your-writes means something."""

    count: Count
    """The number of users."""
    write_every: DurationDistribution | None = None
    """Open loop: the time between a user's writes, whatever happens to them."""
    think: DurationDistribution | None = None
    """Closed loop: the pause between a user's last read and the next write."""
    read_after: DurationDistribution = Field(default_factory=_zero)
    """From the acknowledgement of the write (or the answer of a read) to the next read."""
    reads: Count = 1
    """Reads after each write."""
    route: Route = Route(policy="round_robin")
    """Which node a read goes to."""
    connections: Count = 20
    """Open loop: the pool that the users' writes share.  A closed-loop user has a connection of its own."""
    network: DurationDistribution | None = None
    """One way between a user and any node; without it the zones decide, and without zones it is zero."""
    zone: Name | None = None
    """The zone that the users are in."""
    execution: DurationDistribution = Field(default_factory=_zero)
    """What a transaction does before its commit record, on the primary."""
    record: SizeDistribution = Field(default_factory=lambda: SizeDistribution.model_validate("600 B"))
    """Bytes of WAL a transaction."""
    synchronous_commit: Level | None = None
    """As a session may set it; without it the primary's setting holds."""
    retry: Retry | None = None
    """Writes that fail, or whose outcome is not known, are submitted again; without it they are given up."""

    @property
    def live(self) -> bool:
        """Whether users write again when they have read, and how long their reads take depends on what they see."""
        sees = self.promises or self.route.looks_at_lag or self.route.looks_at_writes
        return self.think is not None and sees
