"""Where the nodes of a cluster are drawn: the primary on the left, then the standbys by how far upstream they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from replsim.scenario import Scenario
from replsim.scenario.topology import link_between, topology
from replsim.summary import show
from replsim.units import SECOND

__all__ = ["link_text", "places"]

DEEP: Final = 3
"""More layers than these go downwards."""


def places(scenario: Scenario) -> Mapping[str, tuple[float, float]]:
    """Each node's place in the unit square (x from the left, y from above): layers by depth below the primary.

    The layers go from left to right; a cascade of three and more that is not as wide goes from top to bottom, so that
    it fits a narrow page.  In a layer the scenario's order holds.
    """
    import networkx as nx  # a third of a second, which other figures need not pay

    graph = topology(scenario)
    depths = nx.single_source_shortest_path_length(graph, scenario.primary.name)
    layers: dict[int, list[str]] = {}
    for name in scenario.nodes:
        layers.setdefault(depths[name], []).append(name)
    drawn = nx.multipartite_layout(graph, subset_key=layers)
    found = {name: (float(x), float(y)) for name, (x, y) in drawn.items()}
    where = {name: (_within(found, name, 0), _within(found, name, 1)) for name in scenario.nodes}
    if len(layers) > DEEP and max(map(len, layers.values())) < len(layers):
        return {name: (y, x) for name, (x, y) in where.items()}
    return where


def _within(found: Mapping[str, tuple[float, float]], name: str, axis: int) -> float:
    """A coordinate stretched to 0 … 1; in the middle where all are equal."""
    values = [place[axis] for place in found.values()]
    low, high = min(values), max(values)
    return (found[name][axis] - low) / (high - low) if high > low else 0.5


def link_text(scenario: Scenario, here: str, there: str) -> str:
    """How far it is from one node to another, in a few words: the mean latency, and the bandwidth if it is limited."""
    link = link_between(scenario, here, there)
    if link is None:
        return ""
    text = show(link.latency.mean / SECOND, "s")
    return f"{text}, {show(float(link.bandwidth), 'B')}/s" if link.bandwidth else text
