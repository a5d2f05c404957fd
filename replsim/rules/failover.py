"""Who takes over: what a failover manager decides from what it has been told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["electable", "has_majority", "healthiest"]


def electable(positions: Mapping[str, int], *, published: int, maximum_lag: int) -> tuple[str, ...]:
    """The standbys in Patroni's race: at most ``maximum_lag`` bytes behind the last *published* position.

    What the leader has written since it last published counts for nothing, so that the loss can be larger (source:
    Patroni ``ha.py:is_lagging``; the documentation of ``maximum_lag_on_failover``).  In the given order.
    """
    return tuple(name for name, position in positions.items() if published - position <= maximum_lag)


def healthiest(positions: Mapping[str, int]) -> str | None:
    """The one of those who may take over that has most of the log; of equals the first, and nobody where none may."""
    return max(positions, key=lambda name: positions[name], default=None)


def has_majority(reached: Sequence[str], members: Sequence[str]) -> bool:
    """Whether those ``reached`` are more than half of all ``members``."""
    return 2 * len(set(reached) & set(members)) > len(set(members))
