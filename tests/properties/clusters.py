"""Random small clusters without faults: every part of a scenario, in any combination that makes sense."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from replsim.rules.acks import LEVELS
from replsim.scenario import Scenario

__all__ = ["clusters"]

GRID_US = 100


def times(low: int, high: int) -> st.SearchStrategy[str]:
    """A duration of ``low`` to ``high`` tenths of a millisecond: times that meet, so that orders matter."""
    return st.integers(low, high).map(lambda steps: f"{steps * GRID_US}us")


def costs(low: int, high: int) -> st.SearchStrategy[Any]:
    """A duration that is constant or random."""
    return st.one_of(
        times(low, high),
        st.tuples(times(low, high), times(high, 2 * high)).map(lambda e: {"uniform": {"low": e[0], "high": e[1]}}),
        times(max(low, 1), high).map(lambda mean: {"exponential": {"mean": mean}}),
    )


def maybe(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Usually not."""
    return st.one_of(st.none(), st.none(), value)


def given_only(fields: dict[str, Any]) -> dict[str, Any]:
    """Without what is None."""
    return {name: value for name, value in fields.items() if value is not None}


@st.composite
def links(draw: st.DrawFn) -> dict[str, Any]:
    """One way between two nodes."""
    return given_only(
        {
            "latency": draw(costs(1, 20)),
            "hold": draw(maybe(times(5, 50))),
            "jitter": draw(maybe(costs(0, 10))),
            "bandwidth": draw(maybe(st.sampled_from(["200 kB/s", "5 MB/s"]))),
            "window": draw(maybe(st.sampled_from(["500 B", "20 kB"]))),
            "loss": draw(maybe(st.just("10%"))),
            "retransmission_timeout": "3ms",
        }
    )


@st.composite
def primaries(draw: st.DrawFn, direct: list[str]) -> dict[str, Any]:
    """A primary, and a rule about the standbys that stream from it."""
    count = draw(st.integers(1, len(direct) + 1))
    listed = ", ".join(draw(st.permutations(direct)))
    names = st.sampled_from(["", *(f"{word} {count} ({who})" for word in ("FIRST", "ANY") for who in (listed, "*"))])
    return given_only(
        {
            "wal_device": {"flush": draw(costs(0, 10)), "write": draw(costs(0, 2))}
            | given_only({"bandwidth": draw(maybe(st.just("2 MB/s")))}),
            "synchronous_standby_names": draw(names),
            "commit_delay": draw(st.sampled_from(["0s", "0.3ms"])),
            "commit_siblings": draw(st.integers(0, 3)),
            "wal_writer_delay": draw(times(20, 60)),
            "wal_writer_flush_after": draw(st.sampled_from(["0 B", "16 KiB", "1 MiB"])),
            "checkpoints": draw(maybe(st.just({"every": "5ms", "page_image": "2 kB", "rows_per_page": 2}))),
        }
    )


@st.composite
def standbys(draw: st.DrawFn, upstream: str | None) -> dict[str, Any]:
    """A standby."""
    return given_only(
        {
            "upstream": upstream,
            "wal_device": {"flush": draw(costs(0, 20)), "write": draw(costs(0, 4))},
            "replay": {"per_record": draw(costs(0, 5))} | given_only({"bandwidth": draw(maybe(st.just("1 MB/s")))}),
            "recovery_min_apply_delay": draw(maybe(st.just("3ms"))),
            "wal_receiver_status_interval": draw(st.sampled_from(["0s", "2ms", "10s"])),
        }
    )


@st.composite
def writers(draw: st.DrawFn) -> dict[str, Any]:
    """Open loop or closed; a closed loop always takes some time."""
    # Random executions and chunks, but then no claim about when a lock was taken: see the lock's own test.
    fields: dict[str, Any] = {
        "network": draw(maybe(costs(0, 5))),
        "execution": draw(times(1, 8)),
        "record": draw(st.sampled_from(["100 B", "5 kB", {"uniform": {"low": "50 B", "high": "20 kB"}}])),
        "records": draw(st.integers(1, 3)),
        "chunk": draw(maybe(st.just("1 kB"))),
        "keys": draw(maybe(st.just({"count": 2, "lock": True}))),
        "synchronous_commit": draw(st.sampled_from(LEVELS)),
    }
    if draw(st.booleans()):
        rate = f"{draw(st.integers(100, 1500))}/s"
        fields |= {"rate": rate, "connections": draw(st.integers(1, 6))}
        fields["arrivals"] = draw(st.sampled_from(["poisson", "deterministic"]))
    else:
        fields |= {"clients": draw(st.integers(1, 4)), "think": draw(costs(1, 30))}
        fields["in_flight"] = draw(st.integers(1, 3))
        fields["poll"] = draw(maybe(st.just("1ms"))) if fields["in_flight"] > 1 else None
    return given_only(fields)


@st.composite
def clusters(draw: st.DrawFn) -> Scenario:
    """One to three standbys, perhaps cascaded, and one to three writers, for 25 ms."""
    ups: dict[str, str | None] = {}
    for name in ["s1", "s2", "s3"][: draw(st.integers(1, 3))]:
        ups[name] = draw(st.sampled_from([None, None, *ups]))
    direct = [name for name, upstream in ups.items() if upstream is None]
    pairs = [(upstream or "p", name) for name, upstream in ups.items()]
    both = [f"{a} -> {b}" for up, down in pairs for a, b in ((up, down), (down, up))]
    fields = {
        "name": "random",
        "duration": "25ms",
        "seed": draw(st.integers(0, 1000)),
        "wakeup": draw(st.sampled_from(["0s", "100us", "30us"])),
        "primary": draw(primaries(direct)),
        "standbys": {name: draw(standbys(upstream)) for name, upstream in ups.items()},
        "links": {pair: draw(links()) for pair in both},
        "writers": {name: draw(writers()) for name in ["w1", "w2", "w3"][: draw(st.integers(1, 3))]},
        "background": draw(maybe(st.just({"wal": "500 kB/s", "record": "700 B"}))),
    }
    return Scenario.model_validate(given_only(fields))
