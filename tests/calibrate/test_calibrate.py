"""From measurements to a scenario: parameters are found again, and what is not known is said."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from replsim.analysis.measured import measured_lag
from replsim.calibrate.fit import fitted
from replsim.calibrate.samples import flush_times, round_trips
from replsim.errors import MeasurementError
from replsim.scenario import Scenario
from replsim.units import NEVER
from tests.cli.conftest import Replsim
from tests.cli.conftest import replsim as replsim

DATA = Path(__file__).parents[2] / "scenarios" / "validation" / "data"


@pytest.mark.parametrize(
    ("law", "family"),
    [
        ({"exponential": {"mean": "2ms"}}, "exponential"),
        ({"lognormal": {"median": "0.6ms", "p99": "3ms"}}, "lognormal"),
        ({"gamma": {"mean": "2ms", "shape": 6}}, "gamma"),
        ({"weibull": {"scale": "1ms", "shape": 3}}, "weibull"),
        ({"normal": {"mean": "10ms", "sd": "1ms"}}, "normal"),
    ],
)
def test_a_family_is_found_again(law: dict[str, Any], family: str) -> None:
    """Draws of a known law are fitted by a law with nearly the same quantiles."""
    from replsim.randomness import DurationDistribution

    truth = DurationDistribution.model_validate(law)
    u = np.random.default_rng(5).random(20_000)
    found = fitted(truth.values(u) / 1e3)
    assert found.law is not None
    fit = DurationDistribution.model_validate(found.law)
    ranks = np.array([0.1, 0.5, 0.9, 0.99])
    assert fit.values(ranks) == pytest.approx(truth.values(ranks), rel=0.05), found.told
    if family in ("exponential", "lognormal"):  # the others can look much alike
        assert family in found.law or found.distance < 0.01


def test_samples_that_no_family_fits_are_kept() -> None:
    """Two heaps far apart are no family's, and the fit says so."""
    found = fitted(np.concatenate([np.full(500, 100.0), np.full(500, 9000.0)]))
    assert found.law is None
    assert "kept as they are" in found.told
    assert fitted(np.array([5.0])).law == "5us"


def test_the_formats_of_others_are_read(tmp_path: Path) -> None:
    """What `ping` and `pg_test_fsync` print, and plain numbers."""
    ping = tmp_path / "ping.txt"
    ping.write_text("64 bytes: icmp_seq=1 ttl=64 time=4.23 ms\n64 bytes: icmp_seq=2 time=812 us\nrtt min/avg\n")
    assert round_trips(ping).tolist() == [4230.0, 812.0]
    ping.write_text("4.5\n5\n")
    assert round_trips(ping).tolist() == [4500.0, 5000.0]
    fsync = tmp_path / "fsync.txt"
    fsync.write_text(
        "Compare file sync methods using one 8kB write:\n"
        "        open_datasync                      1604.332 ops/sec     623 usecs/op\n"
        "        fdatasync                          1613.961 ops/sec     620 usecs/op\n"
    )
    times, single = flush_times(fsync)
    assert (times.tolist(), single) == ([620.0], False)
    fsync.write_text("dur_us,type\n5,2\n900,1\n")
    assert flush_times(fsync)[0].tolist() == [900.0]
    fsync.write_text("hello\n")
    with pytest.raises(MeasurementError, match=r"fsync.txt:1: expected pg_test_fsync's output"):
        flush_times(fsync)


def calibrate(replsim: Replsim, *arguments: str | Path, out: Path) -> tuple[Scenario, str]:
    """Run the command; the scenario that it wrote, and what it said."""
    ended = replsim("calibrate", *arguments, "--out", out)
    assert ended.code == 0, ended.err
    checked = replsim("check", out)
    assert checked.code == 0, checked.err
    return replsim_load(out), ended.out


def replsim_load(file: Path) -> Scenario:
    """Read a scenario (the fixture has the package's name)."""
    from replsim import front

    return front.load(file)


@pytest.mark.parametrize(
    ("run", "clients", "flush_ms"),
    [("q_c1_d2-10_any1_on_3", 1, 1.035), ("q_c8_d2-10_any1_on", 8, 1.066), ("qdisk_c1_d2-10_any1_on", 1, 0.328)],
)
def test_a_measured_run_is_identified(
    replsim: Replsim, tmp_path: Path, run: str, clients: int, flush_ms: float
) -> None:
    """The delays that were set, the recorded flushes, the clients and the WAL of an INSERT are found again."""
    scenario, said = calibrate(replsim, DATA / run, "--name", run, out=tmp_path / "c.yaml")
    assert scenario.writers["app"].clients == clients
    assert scenario.writers["app"].record.constant == pytest.approx(208, abs=2)
    assert scenario.links["p -> s1"].latency.constant == pytest.approx(2.1e6, rel=0.06)
    assert scenario.links["p -> s2"].latency.constant == pytest.approx(10.2e6, rel=0.06)
    flush = scenario.primary.wal_device.flush.empirical
    assert flush is not None
    assert np.median(flush.measured) / 1e6 == pytest.approx(flush_ms, rel=0.01)
    assert "NOT IDENTIFIED primary.synchronous_commit" in said
    assert "NOT IDENTIFIED wakeup" in said


def test_an_open_loop_is_told_by_its_schedule(replsim: Replsim, tmp_path: Path) -> None:
    """Transactions with a schedule lag are those of a rate."""
    scenario, _ = calibrate(replsim, DATA / "q_r200_d2-10_any1_off", out=tmp_path / "c.yaml")
    assert scenario.writers["app"].clients is None
    assert scenario.writers["app"].rate == pytest.approx(199.5, rel=0.01)
    assert set(scenario.measured) >= {"commit_latency_from_start.p50", "throughput", "s2.measured_lag.replay.p50"}


TRUTH = """
name: truth
duration: 40s
primary:
  synchronous_commit: remote_write
  synchronous_standby_names: s1
  wal_device: {flush: {lognormal: {median: 0.9ms, p99: 3ms}}}
standbys: {s1: {wal_device: {flush: {gamma: {mean: 2ms, shape: 4}}}}}
links: {p -> s1: {latency: 5ms}}
writers:
  app:
    clients: 4
    think: {exponential: {mean: 3ms}}
    execution: {lognormal: {median: 0.2ms, p99: 1ms}}
    record: 777 B
"""


def observed(folder: Path) -> Scenario:
    """Simulate a known cluster and write what its observers would have written."""
    from replsim import front

    scenario = front.loads(TRUTH)
    record = front.run(scenario).record
    commits = record.commits
    done = commits["acknowledged"] < NEVER
    epoch = 1_700_000_000_000_000
    with (folder / "pgbench_log.1").open("w") as log:
        for client, told, began in zip(
            commits["client"][done], commits["acknowledged"][done], commits["submitted"][done], strict=True
        ):
            end = epoch + told // 1000
            log.write(f"{client} 0 {(told - began) // 1000} 0 {end // 1_000_000} {end % 1_000_000}\n")
    shown, insert = measured_lag(record, "s1"), record.position("p", "insert")
    with (folder / "mon.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["t_s", "insert_lsn", "commits", "standby", "write_lag_ms", "flush_lag_ms", "replay_lag_ms"])
        for now in range(1_000_000_000, 40_000_000_000, 50_000_000):
            lags = []
            for column in ("write", "flush", "replay"):
                time, value = shown[column]
                at = value[np.searchsorted(time, now, side="right") - 1]
                lags.append("" if at < 0 else at / 1e6)
            inserted = int(np.count_nonzero(commits["inserted"] <= now))
            rows.writerow([now / 1e9 - 1, int(insert.at(now)), inserted, "s1", *lags])
    with (folder / "fsync.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["node", "t_start_us", "dur_us"])
        for node in ("p", "s1"):
            ends = record.position(node, "flush").time
            for start, end in zip(record.flush_starts[node], ends, strict=False):
                rows.writerow([node, start / 1e3, (end - start - (10_000 if node == "p" else 0)) / 1e3])
    (folder / "settings.json").write_text(
        json.dumps(
            {"synchronous_commit": "remote_write", "synchronous_standby_names": "s1", "wal_writer_delay": "200ms"}
        )
    )
    return scenario


def test_a_known_cluster_is_identified(replsim: Replsim, tmp_path: Path) -> None:
    """From what a simulated cluster shows to its observers, its parameters come back."""
    from replsim import front

    folder = tmp_path / "seen"
    folder.mkdir()
    observed(folder)
    scenario, _ = calibrate(replsim, folder, out=tmp_path / "c.yaml")
    assert scenario.primary.synchronous_commit == "remote_write"
    assert scenario.primary.synchronous_standby_names == "s1"
    assert scenario.writers["app"].clients == 4
    assert scenario.writers["app"].record.constant == pytest.approx(777, abs=2)
    assert scenario.links["p -> s1"].latency.constant == pytest.approx(5e6, rel=0.03)
    ranks = np.array([0.5, 0.9, 0.99])
    known = front.loads(TRUTH)
    for place in ("primary", "standby"):
        devices = [each.primary if place == "primary" else each.standbys["s1"] for each in (known, scenario)]
        truth, found = (each.wal_device.flush.values(ranks) for each in devices)
        assert found == pytest.approx(truth, rel=0.08), place


def test_nothing_to_calibrate_from_is_a_mistake(replsim: Replsim, tmp_path: Path) -> None:
    """An empty folder, and no source at all, say what is wanted."""
    ended = replsim("calibrate", tmp_path, "--out", tmp_path / "c.yaml")
    assert (ended.code, (tmp_path / "c.yaml").exists()) == (2, False)
    assert "there is no measured run" in ended.err
    ended = replsim("calibrate", "--out", tmp_path / "c.yaml")
    assert ended.code == 2
    assert "nothing to calibrate from" in ended.err
    ended = replsim("calibrate", "--ping", "s1", "--out", tmp_path / "c.yaml")
    assert "--ping takes NODE=FILE" in ended.err


def test_pings_and_pg_test_fsync_alone_make_a_scenario(replsim: Replsim, tmp_path: Path) -> None:
    """Each source is optional: what it does not tell is assumed, by name."""
    ping = tmp_path / "s1.txt"
    ping.write_text("".join(f"time={4 + (n % 7) / 100:.2f} ms\n" for n in range(100)))
    fsync = tmp_path / "p.txt"
    fsync.write_text("        fdatasync      1613.961 ops/sec     620 usecs/op\n")
    scenario, said = calibrate(replsim, "--ping", f"s1={ping}", "--fsync", f"p={fsync}", out=tmp_path / "c.yaml")
    assert scenario.primary.wal_device.flush.constant == 620_000
    assert scenario.links["p -> s1"].latency.mean == pytest.approx(2.015e6, rel=0.01)
    assert "NOT IDENTIFIED writers.app.rate: no transactions were measured" in said
