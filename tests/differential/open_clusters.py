"""Random small clusters whose clients do not wait: what both simulators run."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from replsim.rules.acks import LEVELS
from replsim.scenario import Scenario
from tests.properties.clusters import costs, given_only, links, maybe, primaries, standbys, times

__all__ = ["open_clusters"]


@st.composite
def writers(draw: st.DrawFn) -> dict[str, Any]:
    """An open-loop writer whose pool does not run dry."""
    chunk = draw(maybe(st.just("1 kB")))
    fields: dict[str, Any] = {
        "network": draw(maybe(costs(0, 5))),
        "execution": draw(costs(1, 8) if chunk else costs(0, 8)),
        "record": draw(st.sampled_from(["100 B", "5 kB", "200 kB", {"uniform": {"low": "50 B", "high": "20 kB"}}])),
        "records": draw(st.integers(1, 3)),
        "chunk": chunk,
        "keys": draw(maybe(st.sampled_from([{"count": 2}, {"count": 500, "zipf": 1}]))),
        "synchronous_commit": draw(st.sampled_from(LEVELS)),
        "rate": f"{draw(st.integers(50, 3000))}/s",
        "connections": 3000,
    }
    on = {"on": draw(times(1, 40)), "off": draw(times(1, 40))}
    fields["arrivals"] = draw(st.sampled_from(["poisson", "deterministic", {"bursts": on}]))
    return given_only(fields)


@st.composite
def sessions(draw: st.DrawFn) -> dict[str, Any]:
    """Users who write at their own pace."""
    return {
        "count": draw(st.integers(1, 4)),
        "write_every": draw(costs(5, 40)),
        "connections": 500,
        "synchronous_commit": draw(st.sampled_from(LEVELS)),
    }


@st.composite
def open_clusters(draw: st.DrawFn) -> Scenario:
    """One to three standbys, perhaps cascaded, one to three writers and perhaps users, for 30 ms."""
    ups: dict[str, str | None] = {}
    for name in ["s1", "s2", "s3"][: draw(st.integers(1, 3))]:
        ups[name] = draw(st.sampled_from([None, None, *ups]))
    direct = [name for name, upstream in ups.items() if upstream is None]
    pairs = [(upstream or "p", name) for name, upstream in ups.items()]
    both = [f"{a} -> {b}" for up, down in pairs for a, b in ((up, down), (down, up))]
    primary = draw(primaries(direct))
    primary |= {"max_connections": 10_000}
    if primary["commit_delay"] != "0s":
        primary |= {"synchronous_standby_names": ""}
    user = draw(maybe(sessions()))
    fields = {
        "name": "random",
        "duration": "30ms",
        "seed": draw(st.integers(0, 1000)),
        "wakeup": draw(st.sampled_from(["0s", "100us", "30us"])),
        "primary": primary,
        "standbys": {name: draw(standbys(upstream)) for name, upstream in ups.items()},
        "links": {pair: draw(links()) for pair in both},
        "writers": {name: draw(writers()) for name in ["w1", "w2", "w3"][: draw(st.integers(1, 3))]},
        "sessions": {"user": user} if user else None,
        "background": draw(maybe(st.just({"wal": "500 kB/s", "record": "700 B"}))),
    }
    return Scenario.model_validate(given_only(fields))
