"""The same scenario and seed give the same run, and what is added to a scenario leaves the luck of the rest alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import replsim
from replsim.engines.events import run
from replsim.record import Record
from replsim.scenario import Scenario
from replsim.units import NEVER
from tests.rules.datadriven import check

HERE = Path(__file__).parent
BUSY = HERE / "busy.yaml"
ROOT = HERE.parents[1]


def busy(seed: int = 7) -> str:
    """The digest of the busy cluster."""
    return run(replsim.load(BUSY), seed).digest()


def test_the_same_seed_gives_the_same_run() -> None:
    """Two runs in one process have the same digest: nothing is left behind by the first."""
    assert busy() == busy()


def test_every_column_is_in_the_digest() -> None:
    """Runs of different seeds differ, and so do runs whose network alone differs."""
    scenario = replsim.load(BUSY)
    digests = {busy(seed) for seed in (7, 8, 9)}
    slower = {**scenario.model_dump(mode="json")["links"], "s2 -> p": {"latency": "1.1ms", "bandwidth": "10 MB/s"}}
    digests.add(run(scenario.changed(links=slower), 7).digest())
    assert len(digests) == 4


@pytest.mark.parametrize("hash_seed", ["0", "1", "12345"])
def test_another_process_gives_the_same_run(hash_seed: str) -> None:
    """A process that hashes strings otherwise has the same digest: nothing depends on the order of a set."""
    code = (
        "import replsim, sys; from replsim.engines.events import run; print(run(replsim.load(sys.argv[1]), 7).digest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(BUSY)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == busy()


def command(name: str, rest: str, lines: list[str]) -> str:
    """Run one command of the golden file: the digest of a scenario in a file, or in line."""
    assert name == "digest", f"an unknown command: {name}"
    scenario = replsim.load(HERE / rest) if rest else replsim.loads("\n".join(lines))
    return run(scenario, scenario.seed).digest()


def test_the_golden_digests_have_not_changed() -> None:
    """Runs come out to the nanosecond as they did before, here and elsewhere."""
    check(HERE / "golden.txt", command)


def simple(**changes: Any) -> dict[str, Any]:
    """A cluster of random costs in which draws can be read off the record: nothing queues on a link."""
    scenario: dict[str, Any] = {
        "name": "simple",
        "duration": "100ms",
        "primary": {
            "wal_device": {"flush": {"uniform": {"low": "0.5ms", "high": "1ms"}}},
            "synchronous_standby_names": "ANY 1 (s1, s2)",
        },
        "standbys": {
            "s1": {"wal_device": {"flush": {"exponential": {"mean": "0.3ms"}}}},
            "s2": {"wal_device": {"flush": {"exponential": {"mean": "0.3ms"}}}},
        },
        # No two messages are closer than a flush, so none has to wait for the one before it.
        "links": {f"p -> {name}": {"latency": {"uniform": {"low": "1ms", "high": "1.4ms"}}} for name in ("s1", "s2")},
        "writers": {"app": {"rate": "500/s", "connections": 20}},
    }
    return scenario | changes


def simulate(scenario: dict[str, Any]) -> Record:
    """The record of a scenario given as plain data."""
    checked = Scenario.model_validate(scenario)
    return run(checked, checked.seed)


def columns_of(record: Record, nodes: list[str]) -> dict[str, list[int]]:
    """Everything that a record says of its commits and of some nodes."""
    found = {f"commits {name}": record.commits[name].tolist() for name in record.commits}
    for node in nodes:
        for stage, trajectory in record.positions[node].items():
            found |= {f"{node} {stage} time": trajectory.time.tolist(), f"{node} {stage} lsn": trajectory.lsn.tolist()}
        found[f"{node} flush starts"] = record.flush_starts[node].tolist()
        if node in record.replies:
            replies = record.replies[node]
            for part in ("time", "write", "flush", "apply"):
                found[f"{node} replies {part}"] = getattr(replies, part).tolist()
    return found


def test_a_reader_changes_nothing() -> None:
    """Readers are computed after the run: the record is the same with them, to the last column."""
    readers = {"web": {"rate": "2000/s", "keys": {"count": 10}, "network": {"exponential": {"mean": "1ms"}}}}
    assert simulate(simple(readers=readers)).digest() == simulate(simple()).digest()


def test_a_standby_that_nobody_waits_for_changes_nothing_else() -> None:
    """With a third, asynchronous standby and one below another, commits and the other nodes stay as they were."""
    alone, base = simulate(simple()), simple()
    more = simple(
        standbys=base["standbys"] | {"s3": {}, "s4": {"upstream": "s1"}},
        links=base["links"] | {"p -> s3": {"latency": "30ms"}, "s1 -> s4": {"latency": "1ms"}},
    )
    nodes = ["p", "s1", "s2"]
    assert columns_of(simulate(more), nodes) == columns_of(alone, nodes)
    assert len(alone.position("s1", "flush")) > 20


def flush_times(record: Record, node: str) -> NDArray[np.int64]:
    """How long each flush took (and on the primary its write, which is constant)."""
    ends = record.position(node, "flush").time
    return ends - record.flush_starts[node][: len(ends)]


def link_times(record: Record, standby: str) -> NDArray[np.int64]:
    """How long each message was on its way."""
    sent, received = record.position(standby, "sent").time, record.position(standby, "receive").time
    return received - sent[: len(received)]


def start_of(values: NDArray[np.int64], others: NDArray[np.int64]) -> bool:
    """Whether two sequences of draws are the same as far as both go, and go far enough to tell."""
    both = min(len(values), len(others))
    return both > 20 and values[:both].tolist() == others[:both].tolist()


def test_a_writer_changes_no_draw_of_the_others() -> None:
    """With a second writer the first has the same arrivals, and the k-th flush and message take the same time."""
    writers = {"app": {"rate": "500/s", "connections": 20}, "more": {"rate": "200/s", "connections": 20}}
    alone, both = simulate(simple()), simulate(simple(writers=writers))
    assert len(both.commits) > len(alone.commits)
    mine = both.commits["writer"] == 0
    assert sorted(both.commits["submitted"][mine].tolist()) == sorted(alone.commits["submitted"].tolist())
    for node in ("p", "s1", "s2"):
        assert start_of(flush_times(alone, node), flush_times(both, node))
    for standby in ("s1", "s2"):
        assert start_of(link_times(alone, standby), link_times(both, standby))


def test_a_change_of_level_changes_no_draw() -> None:
    """At another level arrivals, flushes and messages have the same luck, so the levels are compared and not luck."""
    app = {"rate": "500/s", "connections": 20}
    on, local = (simulate(simple(writers={"app": app | {"synchronous_commit": level}})) for level in ("on", "local"))
    assert on.commits["submitted"].tolist() == local.commits["submitted"].tolist()
    assert start_of(flush_times(on, "p"), flush_times(local, "p"))
    assert start_of(link_times(on, "s1"), link_times(local, "s1"))
    done = (on.commits["acknowledged"] < NEVER) & (local.commits["acknowledged"] < NEVER)
    assert (on.commits["acknowledged"][done] > local.commits["acknowledged"][done]).all()


def test_a_longer_run_begins_like_a_shorter_one() -> None:
    """The first half of a run of 100 ms is the run of 50 ms."""
    short, long = simulate(simple(duration="50ms")), simulate(simple())
    for node in ("p", "s1", "s2"):
        for stage, trajectory in short.positions[node].items():
            assert long.positions[node][stage].until(50_000_000).time.tolist() == trajectory.time.tolist()
