"""The network: links between nodes, and tables of latencies between zones."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from replsim.randomness import DurationDistribution
from replsim.scenario.base import Name, Part
from replsim.units import Bandwidth, Duration, Fraction, Size, parse_duration

__all__ = ["PRESETS", "Link", "LinkName", "Links", "Zones", "link_ends"]


def link_ends(name: str) -> tuple[str, str]:
    """The two ends in ``'p -> s1'``; raises ValueError.

    >>> link_ends("p -> s1")
    ('p', 's1')
    """
    ends = [end.strip() for end in name.split("->")]
    if len(ends) != 2 or not all(ends):
        raise ValueError(f"a link is written 'from -> to', such as 'p -> s1', not {name!r}")
    return ends[0], ends[1]


def _link_name(name: str) -> str:
    return " -> ".join(link_ends(name))


def _distinct(links: Any) -> Any:
    """Refuse two spellings of one pair, of which pydantic would quietly keep the last."""
    seen: dict[tuple[str, ...], str] = {}
    for name in links if isinstance(links, dict) else ():
        ends = tuple(end.strip() for end in str(name).split("->"))
        if ends in seen:
            raise ValueError(f"{seen[ends]!r} and {name!r} are the same pair: keep one of them")
        seen[ends] = name
    return links


LinkName = Annotated[
    str,
    AfterValidator(_link_name),
    WithJsonSchema({"type": "string", "pattern": r"^[^>]*[^>\s-][^>]*->[^>]*[^>\s][^>]*$", "examples": ["p -> s1"]}),
]
"""A pair of nodes or zones, with a direction: ``'p -> s1'``."""


class Link(Part):
    """One way between two nodes: an ordered stream, as TCP is.

    A message leaves when the one before it has left, is in flight for ``latency`` (plus ``jitter``, plus
    retransmissions), and never arrives before an earlier one: jitter and loss become delay, not disorder.
    """

    latency: DurationDistribution
    """One way, per message (or per `hold`)."""
    hold: Annotated[Duration, Field(gt=0)] | None = None
    """Draw one latency for each such stretch of time instead of one for each message."""
    weather: Name | None = None
    """A word of your choice: links that share it have the same luck under `hold`, and are late together."""
    jitter: DurationDistribution | None = None
    """Added to the latency of each message, also under `hold`."""
    bandwidth: Bandwidth | None = None
    """Bytes a second; messages queue for it.  Without it the link takes any load."""
    window: Annotated[Size, Field(gt=0)] | None = None
    """The most unacknowledged bytes in flight, as a TCP window."""
    loss: Annotated[Fraction, Field(le=0.5)] = 0.0
    """The fraction of packets (1,448 bytes) lost, at most a half; a loss delays what follows by a retransmission."""
    retransmission_timeout: Duration = parse_duration("200ms")
    """The delay of one retransmission; it doubles while the same packet is lost again."""

    def log_loss(self, packets: int, share: float | None = None) -> float:
        """The logarithm of the chance that at least one of a message's ``packets`` is lost; below 0, however many.

        ``share`` of them is lost, where it is not the link's own.
        """
        return math.log1p(-((1 - (self.loss if share is None else share)) ** packets))


class Zones(Part):
    """One-way latencies between zones, for the links that are not written out."""

    preset: Literal["aws"] | None = None
    """A table of published latencies between regions, by name."""
    within: DurationDistribution = Field(default_factory=lambda: DurationDistribution.model_validate("0.1ms"))
    """Between two nodes of the same zone."""
    latency: Annotated[dict[LinkName, DurationDistribution], BeforeValidator(_distinct)] = {}
    """By pair of zones, ``'a -> b'``; a pair holds both ways unless the way back is given too."""

    def between(self, here: str, there: str) -> DurationDistribution | None:
        """The one-way latency from one zone to another, or None where the table has none."""
        if here == there:
            return self.within
        for pair in (f"{here} -> {there}", f"{there} -> {here}"):
            if pair in self.latency:
                return self.latency[pair]
        round_trip = PRESETS[self.preset].get(frozenset((here, there))) if self.preset else None
        return DurationDistribution.model_validate(f"{round_trip / 2}ms") if round_trip else None


Links = Annotated[dict[LinkName, Link], BeforeValidator(_distinct)]
"""The links of a cluster, by pair of nodes."""

PRESETS: Final[dict[str, dict[frozenset[str], float]]] = {
    "aws": {
        frozenset(pair): round_trip
        for *pair, round_trip in (
            ("us-east-1", "us-west-2", 87.0),
            ("us-east-1", "us-west-1", 73.0),
            ("us-east-1", "eu-west-1", 80.5),
            ("us-east-1", "eu-central-1", 88.7),
            ("us-east-1", "ap-northeast-1", 145.0),
            ("us-east-1", "ap-southeast-1", 217.0),
            ("us-east-1", "ap-southeast-2", 230.0),
            ("us-east-1", "sa-east-1", 120.0),
            ("eu-west-1", "eu-central-1", 19.6),
            ("ap-northeast-1", "ap-northeast-2", 31.0),
            ("ap-northeast-1", "ap-southeast-1", 74.0),
        )
    }
}
"""Published round-trip times between regions, in milliseconds."""
