"""Who streams from whom, over which link, and how far each client is from each node."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from replsim.randomness import DurationDistribution
from replsim.randomness.trips import Ways
from replsim.scenario.clients import Reader
from replsim.scenario.network import Link

if TYPE_CHECKING:
    import networkx as nx

    from replsim.scenario.clients import Session, Writer
    from replsim.scenario.model import Scenario

__all__ = ["client_network", "client_ways", "downstream", "link_between", "topology", "zone_of"]


def topology(scenario: Scenario) -> nx.DiGraph[str]:
    """The cluster as a graph: an edge from each node to each standby that streams from it.

    Nodes carry ``role`` (``primary`` or ``standby``) and ``zone``; edges carry their ``link`` and the link
    ``back``.  Only for a scenario that passed its checks.
    """
    import networkx as nx  # a third of a second, which a first look at a scenario need not pay

    graph: nx.DiGraph[str] = nx.DiGraph(name=scenario.name)
    for name in scenario.nodes:
        role = "primary" if name == scenario.primary.name else "standby"
        graph.add_node(name, role=role, zone=zone_of(scenario, name))
    for name in scenario.standbys:
        upstream = scenario.upstream(name)
        graph.add_edge(
            upstream, name, link=link_between(scenario, upstream, name), back=link_between(scenario, name, upstream)
        )
    return graph


def downstream(scenario: Scenario) -> list[tuple[str, str]]:
    """Each standby behind the node that it streams from, level by level from the primary outwards."""
    found: list[tuple[str, str]] = []
    level = [scenario.primary.name]
    while level:
        here = [
            (upstream, name) for upstream in level for name in scenario.standbys if scenario.upstream(name) == upstream
        ]
        found += here
        level = [name for _, name in here]
    return found


def zone_of(scenario: Scenario, node: str) -> str | None:
    """The zone of a node."""
    return scenario.primary.zone if node == scenario.primary.name else scenario.standbys[node].zone


def link_between(scenario: Scenario, here: str, there: str) -> Link | None:
    """The link from one node to another: as written, else the way back's, else by their zones, else None."""
    for name in (f"{here} -> {there}", f"{there} -> {here}"):
        if name in scenario.links:
            return scenario.links[name]
    zones = zone_of(scenario, here), zone_of(scenario, there)
    if scenario.zones is None or zones[0] is None or zones[1] is None:
        return None
    latency = scenario.zones.between(zones[0], zones[1])
    return None if latency is None else Link(latency=latency)


def client_network(scenario: Scenario, client: Writer | Reader | Session, node: str) -> DurationDistribution:
    """The one-way latency between a client and a node: its own, else by their zones, else zero."""
    if client.network is not None:
        return client.network
    zone = zone_of(scenario, node)
    between = scenario.zones.between(client.zone, zone) if scenario.zones and client.zone and zone else None
    return between or _no_time()


@cache
def _no_time() -> DurationDistribution:
    return DurationDistribution.model_validate("0s")


def client_ways(scenario: Scenario, client: Reader | Session, node: str) -> Ways:
    """The network between one who reads and a node, there and back: the node's own way, else as for any node."""
    if isinstance(client, Reader) and (own := client.ways.get(node)):
        return Ways(own.network, own.reply or own.network)
    network = client_network(scenario, client, node)
    return Ways(network, (client.reply if isinstance(client, Reader) else None) or network)
