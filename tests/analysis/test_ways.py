"""The ways of reads as arrays, against the same ways read by read."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.analysis.reads import reads
from tests.analysis.plain_reads import plain_reads
from tests.analysis.records import make_scenario, random_record

COLUMNS = (
    "time", "arrived", "looked", "answered", "session", "node", "tries", "waited", "timed_out", "diverted", "saw",
    "own", "back", "kept",
)  # fmt: skip
RATE = "100000000/s"
LAGS: dict[str, Any] = {"poll": "17ns"}
POLICIES: list[dict[str, Any]] = [
    {"policy": "round_robin"},
    {"policy": "random"},
    {"policy": "random", "among": ["s2", "p", "s1"]},
    {"policy": "least_lag"} | LAGS,
    {"policy": "nearest"},
    {"weighted": {"s2": 3, "p": 1, "s1": 2}},
    {"node": "s2"},
    {"policy": "primary"},
]
SHUNS: list[dict[str, Any]] = [
    *[{}] * 5,
    {"max_lag": "30ns"} | LAGS,
    {"max_lag_bytes": "60B"} | LAGS,
    {"max_lag": "45ns", "max_lag_bytes": "200B"} | LAGS,
]
OF_USERS: list[dict[str, Any]] = [
    *[{}] * 5,
    {"primary_after_write": "40ns"},
    *({"until_caught_up": word} for word in ("chosen", "all", "any")),
]
MEANS: list[dict[str, Any]] = [
    {"by": "wait", "timeout": "25ns"},
    {"by": "wait", "timeout": "25ns", "at_timeout": "stale"},
    {"by": "wait", "timeout": "1s"},
    {"by": "primary"},
    {"by": "another"},
]
NETWORKS: list[Any] = ["0ns", "3ns", {"uniform": {"low": "0ns", "high": "20ns"}}]
GUARANTEES = ("none", "read_your_writes", "monotonic_reads", "causal", "bounded_staleness")


@st.composite
def clients(draw: st.DrawFn, *, users: bool) -> dict[str, Any]:
    """A reader or a session group with any route and any promise that go together."""
    policies = [*POLICIES, {"policy": "per_session"}] if users else POLICIES
    route = dict(draw(st.sampled_from(policies)))
    if route.get("policy") != "primary":
        route |= draw(st.sampled_from(SHUNS))
        route |= draw(st.sampled_from(OF_USERS)) if users else {}
    client: dict[str, Any] = {"route": route, "network": draw(st.sampled_from(NETWORKS))}
    guarantee = draw(st.sampled_from(GUARANTEES if users else ("none", "bounded_staleness")))
    if guarantee != "none":
        client |= {"guarantee": guarantee} | draw(st.sampled_from(MEANS))
    if guarantee == "bounded_staleness":
        client["bound"] = draw(st.sampled_from(["0ns", "20ns"]))
    if not users:
        return client | {"rate": RATE}
    return client | {
        "count": draw(st.integers(3, 4)),
        "think": "1ns",
        "reads": draw(st.integers(1, 4)),
        "read_after": draw(st.sampled_from(NETWORKS)),
    }


def test_every_way_is_what_it_is_read_by_read() -> None:
    """Routes, promises, waits, time-outs and judgements as arrays are those of one read after the other.

    The random cases meet everything, and often.
    """
    met: Counter[str] = Counter()

    @given(st.integers(0, 10**6), clients(users=False), clients(users=True))
    @settings(derandomize=True, deadline=None, max_examples=250)
    def of(seed: int, reader: dict[str, Any], session: dict[str, Any]) -> None:
        met.update(compared(seed, reader, session))

    of()
    assert min(met[what] for what in ("waits", "time-outs", "sent on twice", "diverted", "broken", "back")) > 100


def compared(seed: int, reader: dict[str, Any], session: dict[str, Any]) -> Counter[str]:
    """Compare the reads of one random record, and say what was among them."""
    writers = {"app": {"rate": "10/s", "connections": 5}}
    record = random_record(
        seed, make_scenario(readers={"web": reader}, sessions={"user": session}, writers=writers), most=60, gap=80
    )
    table, plain = reads(record), plain_reads(record)
    met: Counter[str] = Counter()
    for code, name in enumerate(table.words["reader"]):
        mine = table.where(table["reader"] == code)
        assert len(mine) == len(plain[name])
        for i, row in enumerate(plain[name]):
            assert {column: mine[column][i].item() for column in COLUMNS} == {column: row[column] for column in COLUMNS}
            met["waits"] += row["waited"] > 0
            met["time-outs"] += row["timed_out"]
            met["sent on twice"] += row["tries"] > 2
            met["diverted"] += row["diverted"]
            met["broken"] += not row["kept"]
            met["back"] += row["back"]
    return met
