"""The engine against a second implementation, exactly: every time and every position, on random small cases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.engines.events import run
from replsim.randomness import Streams
from replsim.record import Record, Trajectory
from replsim.rules.acks import LEVELS
from replsim.scenario import Scenario
from replsim.units import NEVER
from tests.properties import plain

UNTIL = 40_000_000
GRID = 100_000
"""Times on a grid meet often, and it is where times meet that orders matter."""


def times(low: int, high: int) -> st.SearchStrategy[str]:
    """A duration from ``low`` to ``high`` steps of the grid, on it or somewhere between."""
    anywhere = st.integers(low * GRID, high * GRID)
    return st.one_of(st.integers(low, high).map(lambda steps: steps * GRID), anywhere).map(lambda time: f"{time}ns")


def costs(low: int, high: int) -> st.SearchStrategy[Any]:
    """A constant duration, or one that is drawn anew each time."""
    ends = st.tuples(times(low, high), times(high, 2 * high))
    return st.one_of(times(low, high), ends.map(lambda pair: {"uniform": {"low": pair[0], "high": pair[1]}}))


@st.composite
def scenarios(draw: st.DrawFn, level: str) -> Scenario:
    """One standby and one writer whose commits arrive whatever becomes of them."""
    link: dict[str, Any] = {"latency": draw(costs(1, 20))}
    back: dict[str, Any] = {"latency": draw(costs(1, 20))}
    if draw(st.booleans()):
        link["bandwidth"] = back["bandwidth"] = draw(st.sampled_from(["100 MB/s", "2 MB/s", "300 kB/s"]))
    record = st.sampled_from(["100 B", "8192 B", "300 kB", {"uniform": {"low": "50 B", "high": "20 kB"}}])
    return Scenario.model_validate(
        {
            "name": "plain",
            "duration": f"{UNTIL}ns",
            "wakeup": draw(st.sampled_from(["0ms", "0.1ms", "0.033ms"])),
            "primary": {
                "wal_device": {"flush": draw(costs(1, 10)), "write": draw(costs(0, 2))},
                "synchronous_standby_names": "s1",
                "wal_writer_delay": draw(times(20, 60)),
                "wal_writer_flush_after": draw(st.sampled_from(["0 B", "16 KiB", "1 MiB"])),
            },
            "standbys": {
                "s1": {
                    "wal_device": {"flush": draw(costs(0, 20)), "write": draw(costs(0, 4))},
                    "replay": {"per_record": draw(costs(0, 10))},
                    "recovery_min_apply_delay": draw(st.sampled_from(["0s", "0s", "3ms"])),
                    "wal_receiver_status_interval": draw(st.sampled_from(["0s", "2ms", "10s"])),
                }
            },
            "links": {"p -> s1": link, "s1 -> p": back},
            "writers": {
                "app": {
                    "arrivals": {"replayed": {"samples": draw(st.lists(times(0, 80), min_size=1, max_size=14))}},
                    "network": draw(times(0, 5)),
                    "execution": draw(costs(0, 5)),
                    "record": draw(record),
                    "synchronous_commit": level,
                }
            },
        }
    )


def twin(scenario: Scenario) -> plain.Run:
    """The same scenario, by the second implementation."""
    streams = Streams(scenario.seed)

    def drawn(name: str, distribution: Any) -> Iterator[int]:
        return iter(streams.draws(name, distribution).next, None)  # type: ignore[arg-type]

    standby, writer = scenario.standbys["s1"], scenario.writers["app"]
    assert writer.network is not None
    assert writer.network.constant is not None
    assert writer.arrivals.replayed is not None
    assert writer.synchronous_commit is not None
    cost = plain.Cost(
        wakeup=scenario.wakeup,
        network=writer.network.constant,
        execution=drawn("writer:app:execution", writer.execution),
        record=drawn("writer:app:record", writer.record),
        primary_write=drawn("disk:p:write", scenario.primary.wal_device.write),
        primary_flush=drawn("disk:p:flush", scenario.primary.wal_device.flush),
        out=drawn("link:p->s1:latency", scenario.links["p -> s1"].latency),
        back=drawn("link:s1->p:latency", scenario.links["s1 -> p"].latency),
        bandwidth=scenario.links["p -> s1"].bandwidth,
        standby_write=drawn("disk:s1:write", standby.wal_device.write),
        standby_flush=drawn("disk:s1:flush", standby.wal_device.flush),
        replay=drawn("replay:s1", standby.replay.per_record),
        apply_delay=standby.recovery_min_apply_delay,
        wal_writer_delay=scenario.primary.wal_writer_delay,
        flush_after=scenario.primary.wal_writer_flush_after,
        status_interval=standby.wal_receiver_status_interval,
    )
    arrivals = sorted(int(time) for time in writer.arrivals.replayed.samples)
    return plain.simulate(arrivals, writer.synchronous_commit, cost, UNTIL)


def cut(values: list[int | None]) -> list[int]:
    """What has not happened by the end of the run has not happened."""
    return [NEVER if value is None or value > UNTIL else value for value in values]


def steps(trajectory: Trajectory) -> list[tuple[int, int]]:
    """A position's steps, as pairs."""
    return list(zip(trajectory.time.tolist(), trajectory.lsn.tolist(), strict=True))


def facts(record: Record) -> dict[str, Any]:
    """What the engine found."""
    found: dict[str, Any] = {name: record.commits[name].tolist() for name in ("inserted", "lsn", "visible")}
    found["acknowledged"] = record.commits["acknowledged"].tolist()
    found["primary flush"] = steps(record.position("p", "flush"))
    found |= {stage: steps(record.position("s1", stage)) for stage in ("sent", "receive", "write", "flush", "apply")}
    replies = record.replies["s1"]
    columns = (replies.time, replies.write, replies.flush, replies.apply)
    found["replies"] = list(zip(*(column.tolist() for column in columns), strict=True))
    return found


def expected(scenario: Scenario) -> dict[str, Any]:
    """What the second implementation found, in the same words."""
    run = twin(scenario)
    network = scenario.writers["app"].network
    assert network is not None
    assert network.constant is not None
    answer = network.constant + scenario.wakeup
    answered = [None if time is None else time + answer for time in run.visible]
    found: dict[str, Any] = {"inserted": cut([*run.inserted]), "lsn": run.lsn, "visible": cut(run.visible)}
    found["acknowledged"] = cut(answered)
    for name, raw in (
        ("primary flush", run.flush),
        ("sent", run.sent),
        ("receive", run.receive),
        ("write", run.write),
        ("flush", run.standby_flush),
        ("apply", run.apply),
    ):
        kept = [step for step in raw if step[0] <= UNTIL]
        time, position = zip(*kept, strict=True) if kept else ((), ())
        found[name] = steps(Trajectory.of(time, np.maximum.accumulate(position) if kept else position))
    heard = [each for each in run.replies if each.processed <= UNTIL]
    found["replies"] = [(each.processed, each.write, each.flush, each.apply) for each in heard]
    return found


@pytest.mark.parametrize("level", LEVELS)
def test_the_engine_agrees_with_its_plain_twin(level: str) -> None:
    """At every level, every commit, position and reply comes out the same to the nanosecond on 60 random cases."""

    @settings(max_examples=60, derandomize=True, deadline=None, database=None)
    @given(scenarios(level))
    def agree(scenario: Scenario) -> None:
        found, right = facts(run(scenario, scenario.seed)), expected(scenario)
        for name in right:
            assert found[name] == right[name], name

    agree()
