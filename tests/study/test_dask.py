"""A study on a Dask cluster: the same bits as here, also where a worker is killed in the middle of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import replsim
from replsim.errors import StudyError
from replsim.study import Progress

pytest.importorskip("distributed")

OVER = {"links.p -> s1.latency": "1ms..8ms:5", "primary.synchronous_commit": "local,on"}
METRICS = ["commit_latency.p99", "s2.lag.seconds.mean"]


@dataclass
class Cluster:
    """A scheduler and two workers, each a process of its own."""

    address: str
    workers: list[subprocess.Popen[bytes]]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler on a free port of this machine, and two workers of one thread each, which nobody restarts."""
    file = tmp_path / "scheduler.json"
    started: list[subprocess.Popen[bytes]] = []

    def start(module: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--scheduler-file", str(file)]
        with (tmp_path / f"{module}-{len(started)}.log").open("wb") as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path))
        return started[-1]

    try:
        start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        until = time.monotonic() + 60
        while not (file.exists() and file.read_text().endswith("}")):
            assert time.monotonic() < until, "the scheduler did not start"
            time.sleep(0.1)
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        workers = [start("dask_worker", *options) for _ in range(2)]
        address = json.loads(file.read_text())["address"]
        _wait_for_workers(address, 2)
        yield Cluster(address, workers)
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def _wait_for_workers(address: str, count: int) -> None:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


@pytest.mark.slow
def test_a_killed_worker_s_runs_are_done_by_the_other_and_the_bits_are_the_same(
    tiny: replsim.Scenario, cluster: Cluster
) -> None:
    """Fifty runs on two workers, of which one is killed after the tenth: every number is there, and as it is here."""
    here = replsim.sweep(tiny, OVER, 5, metrics=METRICS)
    seen: list[int] = []

    def kill(progress: Progress) -> None:
        seen.append(progress.done)
        if progress.done == 10:
            cluster.workers[0].send_signal(signal.SIGKILL)

    there = replsim.sweep(tiny, OVER, 5, metrics=METRICS, executor=cluster.address, progress=kill)
    assert cluster.workers[0].wait() == -signal.SIGKILL
    assert seen == list(range(1, 51))
    assert not there.failures
    assert there.findings.done.all()
    assert there.findings.values.tobytes() == here.findings.values.tobytes()
    batched = replsim.sweep(tiny, OVER, 5, metrics=METRICS, executor=cluster.address, batch=7)
    assert np.array_equal(batched.findings.values, here.findings.values)


@pytest.mark.slow
def test_an_address_without_a_scheduler_is_told(tiny: replsim.Scenario) -> None:
    """Where nothing listens there is no hanging and no traceback, but a sentence."""
    with pytest.raises(StudyError, match=r"no Dask scheduler at 'tcp://127\.0\.0\.1:1'"):
        replsim.sweep(tiny, OVER, 1, metrics=METRICS, executor="tcp://127.0.0.1:1")
    with pytest.raises(StudyError, match="there is no Dask scheduler at 'nowhere'"):
        replsim.sweep(tiny, OVER, 1, metrics=METRICS, executor="nowhere")
