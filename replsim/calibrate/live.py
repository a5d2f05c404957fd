"""A scenario on real servers of this machine beside its simulation, which is told what those servers' machine is like.

A scenario's devices are those of the cluster it speaks of, not of the machine at hand.  So the simulation takes the
flush times, the wake-up and the executions that the real run itself showed, and everything else from the scenario.
Nothing is fitted to latencies, lag or throughput: these are what is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.devices import flushes
from replsim.calibrate.compare import Comparison, compare
from replsim.calibrate.seen import seen_in
from replsim.front import Progress, run
from replsim.randomness import DurationDistribution
from replsim.result import Result
from replsim.rules.acks import LEVELS
from replsim.scenario import Scenario
from replsim.scenario.network import Link
from replsim.scenario.nodes import WalDevice
from replsim.scenario.topology import link_between
from replsim.units import NEVER

__all__ = ["Live", "on_this_machine", "validate_live"]

Ints = NDArray[np.int64]

MOST_SAMPLES: Final = 20_000
"""Of each device: what comes later in a long run is left out."""
WRITE: Final = DurationDistribution.model_validate("10us")
"""One write call (docs/model.md, "Mechanism constants")."""


@dataclass(frozen=True, slots=True, eq=False)
class Live:
    """A real run and its simulation."""

    real: Result
    simulated: Result
    """Of the scenario with this machine in it."""

    @property
    def comparison(self) -> Comparison:
        """The two, metric by metric."""
        return compare(self.real.scenario, seen_in(self.real, "real"), seen_in(self.simulated, "simulated"))

    @property
    def told(self) -> str:
        """What the simulation was told of this machine, in a sentence."""
        scenario = self.simulated.scenario
        devices = {scenario.primary.name: scenario.primary.wal_device}
        devices |= {name: standby.wal_device for name, standby in scenario.standbys.items()}
        flushes = ", ".join(f"{node} {device.flush.mean / 1e6:.3g} ms" for node, device in devices.items())
        return (
            f"The simulation has this machine's flush times (mean: {flushes}), its wake-up "
            f"({scenario.wakeup / 1e3:.3g} µs) and its executions, as the real run showed them."
        )


def validate_live(scenario: Scenario, seed: int | None = None, progress: Progress | None = None) -> Live:
    """Run ``scenario`` on real servers, then simulate it for this machine.

    ``progress`` is told of the real run.  Raises what the ``postgres`` engine raises.
    """
    real = run(scenario, seed=seed, engine="postgres", progress=progress)
    return Live(real, run(on_this_machine(real), seed=seed))


def on_this_machine(real: Result) -> Scenario:
    """The scenario of a run on real servers, with the machine that the run showed.

    - *Flush times* of each node, in their order: on a standby from the reply before a flush to the one after it, on
      the primary from when a commit waited for it until it was flushed; where that was at the end of the flush before,
      the next leader had to be woken first.
    - *The wake-up*: two hand-offs that are nothing else, from the primary's flush to what its walsender sends, and from
      what reaches a standby to its being written there (less the write itself); their median, but at most half of what
      a commit at ``off`` takes.
    - *The way back* of each link: what replies took beyond its latency, which is the link's own hand-off.
    - *Executions* of each writer: from when a connection took a transaction up to its commit record.
    """
    scenario = real.scenario
    wakeup = _wakeup(real)
    primary = scenario.primary.model_copy(update={"wal_device": _device(real, scenario.primary.name, wakeup)})
    standbys = {
        name: standby.model_copy(update={"wal_device": _device(real, name, wakeup)})
        for name, standby in scenario.standbys.items()
    }
    writers = {
        name: writer.model_copy(
            update={"execution": _execution(real, place, wakeup), "records": max(writer.records, 2)}
        )
        for place, (name, writer) in enumerate(scenario.writers.items())
    }
    links = {**scenario.links, **dict(_ways_back(real))}
    return scenario.changed(wakeup=f"{wakeup} ns", primary=primary, standbys=standbys, writers=writers, links=links)


def _ways_back(real: Result) -> Iterator[tuple[str, Link]]:
    """Each way back that has no jitter of its own, with what it took longer than it should, at the median."""
    scenario = real.scenario
    for name in scenario.standbys:
        upstream = scenario.upstream(name)
        there, back = link_between(scenario, upstream, name), link_between(scenario, name, upstream)
        replies = real.record.replies[name]
        news = np.diff(replies.flush, prepend=0) > 0
        took = replies.time[news] - real.position(name, "flush").crossing(replies.flush[news])
        assert there is not None
        assert back is not None
        yield f"{upstream} -> {name}", there
        extra = int(np.median(took) - back.latency.values(np.array([0.5]))[0]) if len(took) else 0
        if back.jitter is None and extra > 0:
            back = back.model_copy(update={"jitter": DurationDistribution.model_validate(f"{extra} ns")})
        yield f"{name} -> {upstream}", back


def _device(real: Result, node: str, wakeup: int) -> WalDevice:
    took = _flush_times(real, node, wakeup)
    if not len(took):  # nobody waited for a flush of this node, but all nodes share the disk
        took = np.concatenate([_flush_times(real, other, wakeup) for other in real.scenario.nodes])
    return WalDevice(flush=_samples(took, order="sequence"), write=WRITE) if len(took) else WalDevice(write=WRITE)


def _flush_times(real: Result, node: str, wakeup: int) -> Ints:
    starts, ends = flushes(real.record, node)
    took = ends - starts
    if node == real.scenario.primary.name:
        took[1:][starts[1:] == ends[:-1]] -= wakeup
    kept: Ints = took[(ends < real.scenario.duration) & (took > 0)]
    return kept


def _wakeup(real: Result) -> int:
    """In nanoseconds; the scenario's own where no standby listens."""
    waits: list[Ints] = []
    for name in real.scenario.standbys:
        commits = real.commits["lsn"][real.commits["lsn"] < NEVER]
        upstream = real.position(real.scenario.upstream(name), "flush")
        waits.append(real.position(name, "sent").crossing(commits) - upstream.crossing(commits))
        written, received = (real.position(name, stage).crossing(commits) for stage in ("write", "receive"))
        waits.append(written - received - round(WRITE.mean))
    known = [wait[(wait >= 0) & (wait < NEVER // 2)] for wait in waits]
    found = np.concatenate(known) if known else np.empty(0, dtype=np.int64)
    wakeup = int(np.median(found)) if len(found) else real.scenario.wakeup
    # A commit at `off` is two hand-offs and its execution: on an idle machine, which wakes up late, they are shorter
    # than those of a walsender that has slept for a WAL writer's round.
    table = real.commits
    unwaited = (table["level"] == LEVELS.index("off")) & (table["acknowledged"] < NEVER)
    if unwaited.any():
        wakeup = min(wakeup, int(np.median((table["acknowledged"] - table["started"])[unwaited])) // 2)
    return wakeup


def _execution(real: Result, writer: int, wakeup: int) -> DurationDistribution:
    commits = real.commits
    mine = (commits["writer"] == writer) & (commits["lsn"] < NEVER)
    took = np.maximum(commits["inserted"][mine] - commits["started"][mine] - wakeup, 0)
    return _samples(took) if len(took) else DurationDistribution.model_validate("0s")


def _samples(took: Ints, **more: Any) -> DurationDistribution:
    samples = [f"{each} ns" for each in took[:MOST_SAMPLES].tolist()]
    return DurationDistribution.model_validate({"empirical": {"samples": samples, **more}})
