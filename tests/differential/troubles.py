"""Random faults that the stage engine follows, for random clusters."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from pydantic import ValidationError

from replsim.scenario import Scenario
from tests.differential.open_clusters import open_clusters
from tests.properties.clusters import costs, given_only, maybe, times

__all__ = ["troubled_clusters"]


@st.composite
def faults(draw: st.DrawFn, links: list[str], standbys: list[str]) -> dict[str, Any]:
    """A fault that changes how fast something is for a while, once or again and again."""
    fields: dict[str, Any] = {"for": draw(maybe(costs(1, 100)))}
    if draw(st.booleans()):
        fields["at"] = draw(times(0, 290))
    else:
        fields |= {"every": draw(costs(5, 100)), "for": draw(costs(1, 40))}
    verbs = ["delay", "throttle", "lose", "stall", "slow", "pause_replay", "skew", "cut", "cut", "partition"]
    verbs += ["pause", "pause"]
    verb = draw(st.sampled_from(verbs))
    of_link = verb in ("delay", "throttle", "lose", "cut")
    of_standby = verb in ("pause_replay", "pause")
    targets = links if of_link else standbys if of_standby else ["p", *standbys]
    fields[verb] = draw(st.sampled_from(targets))
    if verb == "partition":
        fields[verb] = [[fields[verb]]]
    if of_link:
        fields["ways"] = draw(st.sampled_from(["both", "one"]))
    if verb == "delay":
        fields["by"] = draw(costs(1, 40))
    elif verb == "throttle":
        fields["to"] = draw(st.sampled_from(["100 kB/s", "3 MB/s"]))
    elif verb == "lose":
        fields["share"] = draw(st.sampled_from(["5%", "40%"]))
    elif verb == "slow":
        fields["times"] = draw(st.integers(2, 8))
    elif verb == "skew":
        fields["ahead"] = "2ms"
    return given_only(fields)


@st.composite
def troubled_clusters(draw: st.DrawFn) -> Scenario:
    """An open cluster with one to four faults."""
    scenario = draw(open_clusters())
    standbys = list(scenario.standbys)
    links = [f"{scenario.upstream(name)} -> {name}" for name in standbys]
    some = [draw(faults(links, standbys)) for _ in range(draw(st.integers(1, 4)))]
    fields = scenario.model_dump(by_alias=True)
    patience = st.sampled_from(["60s", "60s", "60s", "0s", "20ms", "8ms"])
    fields["primary"]["wal_sender_timeout"] = draw(patience)
    for standby in fields["standbys"].values():
        standby["wal_receiver_timeout"] = draw(patience)
    try:
        return Scenario.model_validate(fields | {"faults": some})
    except ValidationError:  # they contradict each other; one alone never does
        return Scenario.model_validate(fields | {"faults": some[:1]})
