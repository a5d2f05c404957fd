"""A scenario on real servers of this machine beside its simulation, which is told what those servers' machine is like.

A scenario's devices are those of the cluster it speaks of, not of the machine at hand.  So the simulation takes the
flush times, the wake-up and the executions that the real run itself showed, and everything else from the scenario.
Nothing is fitted to latencies, lag or throughput: these are what is compared.
"""

from __future__ import annotations

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
from replsim.scenario import Scenario
from replsim.scenario.nodes import WalDevice
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
      the primary from when there was WAL to flush (or the flush before had ended) until it was flushed.
    - *The wake-up*: the median of two hand-offs that are nothing else, from the primary's flush to what its walsender
      sends, and from what reaches a standby to its being written there (less the write itself).
    - *Executions* of each writer: from when a connection took a transaction up to its commit record.
    """
    scenario = real.scenario
    wakeup = _wakeup(real)
    primary = scenario.primary.model_copy(update={"wal_device": _device(real, scenario.primary.name)})
    standbys = {
        name: standby.model_copy(update={"wal_device": _device(real, name)})
        for name, standby in scenario.standbys.items()
    }
    writers = {
        name: writer.model_copy(
            update={"execution": _execution(real, place, wakeup), "records": max(writer.records, 2)}
        )
        for place, (name, writer) in enumerate(scenario.writers.items())
    }
    return scenario.changed(wakeup=f"{wakeup} ns", primary=primary, standbys=standbys, writers=writers)


def _device(real: Result, node: str) -> WalDevice:
    starts, ends = flushes(real.record, node)
    took = (ends - starts)[(ends < real.scenario.duration) & (ends > starts)]
    if not len(took):
        return WalDevice(write=WRITE)
    return WalDevice(flush=_samples(took, order="sequence"), write=WRITE)


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
    return int(np.median(found)) if len(found) else real.scenario.wakeup


def _execution(real: Result, writer: int, wakeup: int) -> DurationDistribution:
    commits = real.commits
    mine = (commits["writer"] == writer) & (commits["lsn"] < NEVER)
    took = np.maximum(commits["inserted"][mine] - commits["started"][mine] - wakeup, 0)
    return _samples(took) if len(took) else DurationDistribution.model_validate("0s")


def _samples(took: Ints, **more: Any) -> DurationDistribution:
    samples = [f"{each} ns" for each in took[:MOST_SAMPLES].tolist()]
    return DurationDistribution.model_validate({"empirical": {"samples": samples, **more}})
