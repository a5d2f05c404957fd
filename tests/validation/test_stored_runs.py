"""Every measured run of a real PostgreSQL, simulated with one set of constants."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import replsim
from replsim.calibrate import Comparison
from replsim.calibrate.columns import table
from replsim.calibrate.kills import SCENARIO, losses
from replsim.calibrate.page import comparisons, measured_runs
from replsim.calibrate.probes import levels
from replsim.calibrate.stored import Files, transactions
from replsim.units import NEVER

FOLDER = Path(__file__).parents[2] / "scenarios" / "validation"
RUNS = measured_runs(FOLDER)


@cache
def compared(file: Path) -> Comparison:
    """A measured run beside its simulation, simulated once for all tests."""
    return next(comparisons([file]))


@pytest.mark.parametrize("file", [file for file in RUNS if file.stem[0] == "q"], ids=lambda file: file.stem)
def test_a_measured_run_is_met(file: Path) -> None:
    """Latency, throughput, commits per flush and lag columns are within their limits."""
    found = compared(file)
    wrong = [
        f"{row.metric}: {row.simulated:.6g} for {row.measured:.6g} ({row.error:+.1%})"
        for row in found.rows
        if not row.held
    ]
    assert not wrong, "\n".join(wrong)
    limited = {row.metric.removeprefix(f"{found.latency}.") for row in found.rows if row.limit}
    lag = {
        f"{standby}.measured_lag.{column}.p50"
        for standby in found.scenario.standbys
        for column in ("write", "flush", "replay")
    }
    assert {"p50", "throughput", "p.commits_per_flush", *lag} <= limited


def test_there_are_all_the_runs() -> None:
    """No measured run is left out: twelve without faults, and an outage."""
    assert len(RUNS) == 13


def test_an_outage_stalls_and_recovers_as_measured() -> None:
    """A cut of 3 s to the only synchronous standby: the stall, the release at once, and what comes after 0.2 s."""
    found = compared(FOLDER / "outage_first1_r200.yaml")
    wrong = {row.metric for row in found.rows if not row.held}
    assert wrong == {"commit_latency_from_start.p50"}, "the machine was slower before the outage than after it"
    commits = replsim.run(FOLDER / "outage_first1_r200.yaml").record.commits
    done = commits["acknowledged"] < NEVER
    told = commits["acknowledged"][done] / 1e9 - 1
    latency = (commits["acknowledged"][done] - commits["started"][done]) / 1e6
    measured = transactions(Files(FOLDER / "data" / "outage_first1_r200"))
    assert measured is not None
    assert measured.late_us is not None
    ends = measured.end_us / 1e6
    for times in (np.sort(told), np.sort(ends)):
        gap = np.argmax(np.diff(times))
        assert np.diff(times)[gap] == pytest.approx(3.0, abs=0.02)
        assert np.count_nonzero((times > times[gap]) & (times < times[gap] + 3.1)) > 550, "all come back at once"
    ours = latency[(told > 6.9) & (told < 12)]
    theirs = ((measured.latency_us - measured.late_us) / 1e3)[(ends > 6.9) & (ends < 12)]
    for rank in (50, 90):
        assert np.percentile(ours, rank) == pytest.approx(np.percentile(theirs, rank), rel=0.05)


def lost(level: str, names: str, stage: str) -> tuple[Any, float]:
    """How many acknowledged commits had not reached a ``stage`` of the farther standby, at moments of a run; and its
    throughput."""
    changes = {"primary.synchronous_commit": level, "primary.synchronous_standby_names": names}
    result = replsim.run(replsim.load(FOLDER / "failover_local_d20-40.yaml", overrides=changes))
    commits = result.record.commits
    done = commits["acknowledged"] < NEVER
    told = commits["acknowledged"][done]
    there = result.record.position("s2", stage).crossing(commits["lsn"][done])
    counts = [np.count_nonzero((told <= at) & (there > at)) for at in range(2_000_000_000, 8_900_000_000, 13_000_000)]
    return np.array(counts), result.metrics["throughput"]


def kills(sync: str, *, inflight_lost: bool) -> list[dict[str, Any]]:
    """The measured kills of one kind."""
    every = json.loads((FOLDER / "data" / "failover.json").read_text(encoding="utf-8"))
    found = [each for each in every if each["sync"] == sync and each["inflight_lost"] is inflight_lost]
    assert found
    return found


def test_a_kill_loses_as_many_commits_as_measured() -> None:
    """What dies in flight is the load of one way; what still arrives is not lost; at ANY 2 nothing is."""
    counts, throughput = lost("local", '""', "receive")
    for kill in kills("local", inflight_lost=True):
        assert counts.min() <= kill["lost_acked"] <= counts.max()
        assert counts.mean() / throughput * 1e3 == pytest.approx(kill["lost_equiv_ms"], rel=0.05)
    counts, _ = lost("local", '""', "sent")
    assert counts.max() <= max(kill["lost_acked"] for kill in kills("local", inflight_lost=False))
    counts, throughput = lost("on", "ANY 2 (s1, s2)", "receive")
    for kill in kills("on", inflight_lost=True):
        assert counts.max() == kill["lost_acked"] == 0
        assert throughput == pytest.approx(kill["tps_before_kill"], rel=0.03)


def test_the_ledger_counts_what_a_kill_loses() -> None:
    """The primary dies and s2 is promoted: as much of the load is lost as measured, by the mechanism of all runs."""
    assert constants(FOLDER / f"{SCENARIO}.yaml") == constants(RUNS[0])
    found = {(each.level, each.in_flight): each for each in losses(FOLDER)}
    assert len(found) == 3
    died = found["local", "lost"]
    assert np.mean(died.simulated_ms) == pytest.approx(np.mean(died.measured_ms), rel=0.05)
    arrived = found["local", "arrives"]
    assert max(arrived.simulated) <= max(arrived.measured)
    assert set(found["on", "lost"].simulated) == set(found["on", "lost"].measured) == {0}


def constants(file: Path) -> dict[str, Any]:
    """All of a scenario that is neither its question, its load, its network's distance nor its flush times."""
    scenario = replsim.load(file)
    writer = next(iter(scenario.writers.values())).model_dump(
        mode="json", exclude={"clients", "rate", "connections", "think"}
    )
    lates = {
        tuple(round(part["weight"] * 1e3) for part in link["latency"]["mixture"])
        for link in (each.model_dump(mode="json") for each in scenario.links.values())
    }
    moods = {(link.hold, link.weather) for link in scenario.links.values()}
    return {
        "wakeup": scenario.wakeup,
        "write": {scenario.primary.wal_device.write.constant},
        "standby write": {standby.wal_device.write.constant for standby in scenario.standbys.values()},
        "replay": {standby.replay.per_record.constant for standby in scenario.standbys.values()},
        "writer": {key: value for key, value in writer.items() if key not in ("synchronous_commit", "arrivals")},
        "late": (lates, moods),
    }


def test_one_set_of_constants_serves_all_runs() -> None:
    """No constant of the mechanism differs between two runs; only the flush times are a run's own."""
    first, *others = RUNS
    for file in others:
        assert constants(file) == constants(first), file.stem


@pytest.mark.parametrize("standby", ["s1", "s2"])
def test_probes_find_a_commit_on_a_standby_when_the_simulation_does(standby: str) -> None:
    """At every measured share of fresh reads, the simulated time since the acknowledgement is within 0.5 ms."""
    record = probes("stale_ctl")
    commits = record.commits
    done = (commits["writer"] == commits.words["writer"].index("probe")) & (commits["acknowledged"] < NEVER)
    delays = record.position(standby, "apply").crossing(commits["lsn"][done]) - commits["acknowledged"][done]
    measured = levels(FOLDER / "data" / "stale_ctl.probes.csv.gz", standby)
    assert measured
    for level in measured:
        assert abs(np.quantile(delays, level.fresh) / 1e9 - level.seconds) < 0.5e-3, level


@cache
def probes(name: str) -> Any:
    """The record of the scenario of a set of probes."""
    return replsim.run(FOLDER / f"{name}.yaml").record


def test_a_commit_is_seen_on_the_near_standby_first_and_on_the_primary_last() -> None:
    """As in 150 of 150 measured probes, each of which found it up to 1 ms later."""
    record = probes("visorder_any2_on")
    commits = record.commits
    done = commits["acknowledged"] < NEVER
    lsn, submitted = commits["lsn"][done], commits["submitted"][done]
    seen = {standby: record.position(standby, "apply").crossing(lsn) - submitted for standby in ("s1", "s2")}
    seen["p"] = commits["visible"][done] - submitted
    assert np.all(seen["s1"] < seen["s2"])
    assert np.all(seen["s2"] < seen["p"])
    columns = table(FOLDER / "data" / "visorder_any2_on.probes.csv.gz", ("probe",))
    for node, times in seen.items():
        found = np.median(columns[f"visible_{node}_ms"])
        # A probe finds a commit by polling, so a little later than it was there to be found.
        assert 0 < found - np.median(times) / 1e6 < 1, node
