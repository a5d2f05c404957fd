"""Mistakes in the network: links that are missing or of no use, and zones that no table knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from replsim.errors import Problem
from replsim.scenario.checks.routes import reached
from replsim.scenario.clients import Reader
from replsim.scenario.network import PRESETS, link_ends
from replsim.scenario.spelling import did_you_mean
from replsim.scenario.succession import successions
from replsim.scenario.topology import link_between, zone_of

if TYPE_CHECKING:
    from replsim.scenario.clients import Session, Writer
    from replsim.scenario.model import Scenario
    from replsim.scenario.network import Zones

__all__ = ["CHECKS"]


def link_to_unknown_node(scenario: Scenario) -> Iterator[Problem]:
    """A link that ends at a node that is not there."""
    for name in scenario.links:
        for end in link_ends(name):
            if end not in scenario.nodes:
                message = f"there is no node {end!r}{did_you_mean(end, scenario.nodes, 'nodes')}"
                yield Problem(("links", name), message)


def link_to_itself(scenario: Scenario) -> Iterator[Problem]:
    """A link from a node to itself."""
    for name in scenario.links:
        here, there = link_ends(name)
        if here == there:
            yield Problem(("links", name), "leads from a node to itself: take it away")


def unused_link(scenario: Scenario) -> Iterator[Problem]:
    """A link between nodes of which neither streams from the other."""
    used = {frozenset((name, scenario.upstream(name))) for name in scenario.standbys}
    used |= {frozenset(pair) for pair in successions(scenario)}
    for name in scenario.links:
        here, there = link_ends(name)
        known = here in scenario.nodes and there in scenario.nodes
        if known and here != there and frozenset((here, there)) not in used:
            standby = there if there in scenario.standbys else here
            mend = f"take it away, or write 'upstream: {here if standby == there else there}' for {standby!r}"
            yield Problem(("links", name), f"is of no use: neither node streams from the other; {mend}")


def weather_without_hold(scenario: Scenario) -> Iterator[Problem]:
    """Links that would be late together, but draw anew for each message."""
    for name, link in scenario.links.items():
        if link.weather is not None and link.hold is None:
            yield Problem(("links", name, "weather"), "is shared stretch by stretch: add 'hold: 20ms'")


def missing_link(scenario: Scenario) -> Iterator[Problem]:
    """A standby without a network to the node that it streams from."""
    for name in scenario.standbys:
        upstream = scenario.upstream(name)
        if upstream not in scenario.nodes or upstream == name or link_between(scenario, upstream, name):
            continue
        zones = [zone for zone in (zone_of(scenario, upstream), zone_of(scenario, name)) if zone]
        between = f" (and no latency between the zones {zones[0]!r} and {zones[1]!r})" if len(zones) == 2 else ""
        message = (
            f"there is no link between it and {upstream!r}{between}: "
            f"write 'links: {{{upstream} -> {name}: {{latency: 1ms}}}}', or zones"
        )
        yield Problem(("standbys", name), message)


def zones_of_no_use(scenario: Scenario) -> Iterator[Problem]:
    """A table of zones, while no node is in a zone."""
    if scenario.zones is not None and not any(zone_of(scenario, node) for node in scenario.nodes):
        yield Problem(("zones",), "is of no use: no node is in a zone; write for example 'primary: {zone: a}'")


def zone_without_table(scenario: Scenario) -> Iterator[Problem]:
    """A zone, without a table that says how far it is from another."""
    if scenario.zones is None:
        for path, zone in _zones(scenario):
            message = f"is of no use: there is no table of zones; write 'zones: {{latency: {{{zone} -> b: 1ms}}}}'"
            yield Problem(path, message)


def unknown_zone(scenario: Scenario) -> Iterator[Problem]:
    """A zone that the table does not hold.  A cluster in one zone alone needs no table: it is ``within``."""
    if scenario.zones is None:
        return
    known = _known_zones(scenario.zones)
    zones = list(_zones(scenario))
    if len({zone for _, zone in zones}) > 1:
        for path, zone in zones:
            if zone not in known:
                yield Problem(path, f"the table of zones does not know {zone!r}{did_you_mean(zone, known, 'zones')}")


def client_without_distance(scenario: Scenario) -> Iterator[Problem]:
    """A client in a zone, with no latency from there to a node that it uses: it would be taken for zero."""
    for path, client, nodes in _clients(scenario):
        if client.zone is None or client.network is not None or scenario.zones is None:
            continue
        for node in nodes:
            if isinstance(client, Reader) and node in client.ways:
                continue
            zone = zone_of(scenario, node) if node in scenario.nodes else client.zone
            if zone is None:
                yield Problem((*path, "zone"), f"is of no use: {node!r} is in no zone; give that node a zone")
            elif client.zone in _known_zones(scenario.zones) and scenario.zones.between(client.zone, zone) is None:
                message = f"no latency is known to {node!r}: add '{client.zone} -> {zone}: 1ms' to zones.latency"
                yield Problem((*path, "zone"), message)


def zone_beside_network(scenario: Scenario) -> Iterator[Problem]:
    """A client's zone that its own network latency makes useless."""
    for path, client, _ in _clients(scenario):
        if client.zone is not None and client.network is not None:
            yield Problem((*path, "zone"), "is of no use beside network, which holds for every node: keep one of them")


def _known_zones(zones: Zones) -> list[str]:
    """The zones that a table speaks of."""
    listed = [end for pair in zones.latency for end in link_ends(pair)]
    preset = sorted({zone for pair in PRESETS[zones.preset] for zone in pair}) if zones.preset else []
    return list(dict.fromkeys([*listed, *preset]))


def _zones(scenario: Scenario) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every zone that something is in, and the place that says so."""
    if scenario.primary.zone is not None:
        yield ("primary", "zone"), scenario.primary.zone
    for name, standby in scenario.standbys.items():
        if standby.zone is not None:
            yield ("standbys", name, "zone"), standby.zone
    for path, client, _ in _clients(scenario):
        if client.zone is not None:
            yield (*path, "zone"), client.zone


def _clients(scenario: Scenario) -> Iterator[tuple[tuple[str, str], Writer | Reader | Session, tuple[str, ...]]]:
    """Every client, its place, and the nodes that it talks to."""
    primary = scenario.primary.name
    for name, writer in scenario.writers.items():
        yield ("writers", name), writer, (primary,)
    for name, reader in scenario.readers.items():
        yield ("readers", name), reader, reached(scenario, reader.route)
    for name, session in scenario.sessions.items():
        yield ("sessions", name), session, tuple(dict.fromkeys((primary, *reached(scenario, session.route))))


CHECKS: Final = (
    link_to_unknown_node,
    link_to_itself,
    unused_link,
    weather_without_hold,
    missing_link,
    zones_of_no_use,
    zone_without_table,
    unknown_zone,
    client_without_distance,
    zone_beside_network,
)
