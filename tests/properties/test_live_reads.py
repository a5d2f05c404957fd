"""Users who wait for their reads: the engine's events, against the reads as they are worked out after the run."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import replsim
from replsim.analysis.checks import violations
from replsim.record import Record
from replsim.scenario import Scenario
from replsim.units import NEVER

THINK_NS = 1_300_000
COSTS: list[Any] = ["0s", "0.4ms", {"uniform": {"low": "0s", "high": "2ms"}}, {"exponential": {"mean": "0.7ms"}}]
LAGS: dict[str, Any] = {"poll": "1ms"}
ROUTES: list[Any] = [
    "round_robin",
    "random",
    "per_session",
    "s2",
    {"policy": "random", "among": ["s2", "p"]},
    {"policy": "least_lag"} | LAGS,
    {"policy": "random", "max_lag": "2ms"} | LAGS,
    {"policy": "round_robin", "max_lag_bytes": "1 kB"} | LAGS,
    {"policy": "random", "primary_after_write": "3ms"},
    *({"policy": "random", "until_caught_up": word} for word in ("chosen", "all", "any")),
]
MEANS: list[dict[str, Any]] = [
    {"by": "wait", "timeout": "2ms"},
    {"by": "wait", "timeout": "2ms", "at_timeout": "stale"},
    {"by": "wait", "timeout": "1s"},
    {"by": "primary"},
    {"by": "another"},
]


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Closed-loop users with any route and promise, on a small cluster with other writers."""
    guarantee = draw(
        st.sampled_from(["none", "read_your_writes", "monotonic_reads", "causal", "causal", "bounded_staleness"])
    )
    users: dict[str, Any] = {
        "count": draw(st.integers(1, 4)),
        "think": f"{THINK_NS}ns",
        "reads": draw(st.integers(1, 3)),
        "read_after": draw(st.sampled_from(COSTS)),
        "network": draw(st.sampled_from(COSTS)),
        "route": draw(st.sampled_from(ROUTES)),
        "synchronous_commit": draw(st.sampled_from(["off", "local", "on"])),
    }
    if guarantee != "none":
        users |= {"guarantee": guarantee} | draw(st.sampled_from(MEANS))
    if guarantee == "bounded_staleness":
        users["bound"] = draw(st.sampled_from(["0s", "2ms"]))
    costs = st.sampled_from(COSTS[1:])
    return Scenario.model_validate(
        {
            "name": "live",
            "duration": "60ms",
            "seed": draw(st.integers(0, 10**6)),
            "wakeup": draw(st.sampled_from(["0s", "50us"])),
            "primary": {
                "wal_device": {"flush": draw(costs)},
                "synchronous_standby_names": draw(st.sampled_from(["", "s1", "ANY 1 (s1, s2)"])),
                "wal_writer_delay": "3ms",
            },
            "standbys": {
                "s1": {"wal_device": {"flush": draw(costs)}, "replay": {"per_record": draw(costs)}},
                "s2": {
                    "wal_device": {"flush": draw(costs)},
                    "recovery_min_apply_delay": draw(st.sampled_from(["0s", "4ms"])),
                },
            },
            "links": {"p -> s1": {"latency": draw(costs)}, "p -> s2": {"latency": draw(costs)}},
            "writers": {"app": {"rate": "300/s", "synchronous_commit": draw(st.sampled_from(["off", "local", "on"]))}},
            "sessions": {"user": users},
        }
    )


def test_users_go_on_when_their_last_read_is_answered() -> None:
    """A user's next write is due one pause for thought after the answer of its last read, as worked out after the run.

    The engine followed the reads event by event; the analysis knows only positions and acknowledgements.
    """
    met: Counter[str] = Counter()

    @settings(max_examples=120, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(scenarios())
    def of(scenario: Scenario) -> None:
        result = replsim.run(scenario)
        met.update(compared(result))
        assert violations(result.record) == []

    of()
    assert min(met[what] for what in ("rounds", "waits", "time-outs", "sent on", "diverted")) > 30, met


def compared(result: replsim.Result) -> Counter[str]:
    """Hold every user's writes against its reads."""
    record, reads = result.record, result.reads
    session = record.scenario.sessions["user"]
    met: Counter[str] = Counter()
    for user in range(session.count):
        written = writes(record, user)
        answered = reads["answered"][reads["session"] == user]
        last = answered[session.reads - 1 :: session.reads]
        due = [time + THINK_NS for time in last.tolist() if time < NEVER and time + THINK_NS < record.scenario.duration]
        assert written[1:] == due
        met["rounds"] += len(due)
    met["waits"] += int(np.count_nonzero(reads["waited"]))
    met["time-outs"] += int(np.count_nonzero(reads["timed_out"]))
    met["sent on"] += int(np.count_nonzero(reads["tries"] > 1))
    met["diverted"] += int(np.count_nonzero(reads["diverted"]))
    return met


def writes(record: Record, user: int) -> list[int]:
    """When a user's writes were submitted, in order."""
    table = record.commits
    mine = (table["writer"] == table.words["writer"].index("user")) & (table["client"] == user)
    return sorted(table["submitted"][mine].tolist())
