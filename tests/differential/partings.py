"""Random clusters whose connections are lost and made again."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from pydantic import ValidationError

from replsim.scenario import Scenario
from tests.differential.open_clusters import open_clusters
from tests.properties.clusters import costs, given_only, maybe, times

__all__ = ["parted_clusters"]


@st.composite
def faults(draw: st.DrawFn, links: list[str], standbys: list[str]) -> dict[str, Any]:
    """A link is cut, one way or both, or a standby stands still, perhaps again and again."""
    fields: dict[str, Any] = {"for": draw(maybe(costs(1, 150)))}
    if draw(st.booleans()):
        fields["at"] = draw(times(0, 500))
    else:
        fields |= {"every": draw(costs(5, 100)), "for": draw(costs(1, 40))}
    verb = draw(
        st.sampled_from(["cut", "cut", "cut", "partition", "pause", "delay", "lose", "pause_replay", "stall", "crash"])
    )
    of_link = verb in ("cut", "delay", "lose")
    fields[verb] = draw(st.sampled_from(links if of_link else standbys))
    if verb == "partition":
        fields[verb] = [[fields[verb]]]
    if verb == "crash":
        fields["of"] = draw(st.sampled_from(["host", "process"]))
    if of_link:
        fields["ways"] = draw(st.sampled_from(["both", "one"]))
    if verb in ("cut", "partition"):
        fields["how"] = draw(st.sampled_from(["silent", "silent", "reset"]))
    if verb == "delay":
        fields["by"] = draw(costs(1, 40))
    elif verb == "lose":
        fields["share"] = draw(st.sampled_from(["5%", "40%"]))
    return given_only(fields)


@st.composite
def parted_clusters(draw: st.DrawFn) -> Scenario:
    """An open cluster with one to three faults, whose nodes have little patience."""
    scenario = draw(open_clusters())
    standbys = list(scenario.standbys)
    links = [f"{scenario.upstream(name)} -> {name}" for name in standbys]
    some = [draw(faults(links, standbys)) for _ in range(draw(st.integers(1, 3)))]
    fields = scenario.model_dump(by_alias=True) | {"duration": "60ms"}
    if draw(st.booleans()):  # on short ways, more happens in the same time
        fields["links"] = {pair: {"latency": draw(costs(1, 3))} for pair in fields["links"]}
    patience = st.sampled_from(["60s", "0s", "20ms", "8ms", "5ms", "3ms"])
    fields["primary"]["wal_sender_timeout"] = draw(patience)
    for standby in fields["standbys"].values():
        standby["wal_receiver_timeout"] = draw(patience)
        standby["wal_retrieve_retry_interval"] = draw(st.sampled_from(["5s", "0.4ms", "1ms", "2ms", "7ms"]))
    try:
        return Scenario.model_validate(fields | {"faults": some})
    except ValidationError:  # they contradict each other; one alone never does
        return Scenario.model_validate(fields | {"faults": some[:1]})
