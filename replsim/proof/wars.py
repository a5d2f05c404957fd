"""The paper's numbers against the scenarios in `scenarios/pbs`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

from replsim import front
from replsim.engines import stages
from replsim.proof.estimators import Estimate
from replsim.proof.finding import Finding, estimated
from replsim.proof.pbs import Looks, looks, mean, probability, quantile, together

__all__ = ["SECTION", "exponential", "findings", "reference"]

SECTION: Final = "pbs"
PART: Final = 100_000
"""Commits a run; several seeds make up what a case needs."""
PARTS: Final = {1: 9, 2: 9, 3: 5}
"""Runs by W: those whose reads can be stale need most."""
EXPONENTIAL_PARTS: Final = 4
TRIALS: Final = 1e7
"""Trials behind each reference value."""
HALF_95: Final = 2 * 1.96
SURE: Final = 1 - 1e-5
"""Chances above this are not compared: so few reads decide them that an interval says nothing."""


@cache
def reference() -> Mapping[str, Any]:
    """The reference values: quantiles with 95% intervals from ten million trials, and the exact exponential case."""
    found: Mapping[str, Any] = json.loads(files("replsim.proof").joinpath("pbs.json").read_text(encoding="utf-8"))
    return found


def findings() -> Iterator[Finding]:
    """Every number of the table for both data sets, then the case that theory gives exactly."""
    for name, cases in reference()["reference"].items():
        for write in (1, 2, 3):
            seen = _seen(f"pbs/{name.lower()}", write, PARTS[write])
            for read, found in seen.items():
                case = cases.get(f"R{read}W{write}")
                if case:
                    yield from _case(f"{name} R={read} W={write}", case, found, read, write)
    yield from exponential()


def exponential(parts: int = EXPONENTIAL_PARTS) -> Iterator[Finding]:
    """R = W = 1 with exponential delays: a read is stale with chance P e^(-λt)."""
    for rate, exact in reference()["exponential"].items():
        mean_ms = 1 / float(rate)
        changes = {
            f'links."p -> {node}".latency': f"{{exponential: {{mean: {mean_ms}ms}}}}" for node in ("s1", "s2", "s3")
        }
        seen = _seen("pbs/exponential", 1, parts, changes)[1]
        name = f"exponential, λ = {rate}"
        yield estimated(SECTION, f"{name}: fresh at once", Estimate(exact["p0"], 0.0), probability(seen, 0.0), "")
        yield estimated(
            SECTION, f"{name}: t of 99.9% fresh", Estimate(exact["t999"], 0.0), quantile(seen, seen.late, 0.999), "ms"
        )


def _seen(scenario: str, write: int, parts: int, changes: Mapping[str, str] | None = None) -> dict[int, Looks]:
    """What readers of each quorum find where a commit waits for ``write`` standbys."""
    overrides = {
        "primary.synchronous_standby_names": f"ANY {write} (s1, s2, s3)",
        "duration": f"{PART}s",
        "writers.app.rate": "1/s",
        **(changes or {}),
    }
    loaded = front.load(scenario, overrides=overrides)
    found: dict[int, list[Looks]] = {}
    for seed in range(1, parts + 1):
        record = stages.run(loaded, seed)
        for name, reader in loaded.readers.items():
            assert reader.route.quorum is not None
            found.setdefault(reader.route.quorum, []).append(looks(record, name))
    return {quorum: together(runs) for quorum, runs in found.items()}


def _case(name: str, case: Mapping[str, Any], seen: Looks, read: int, write: int) -> Iterator[Finding]:
    """One R and W; what depends on one of them only is told once."""
    if read == 1:
        yield from _latency(f"{name}: commit", "Lw", case, seen, tail=write < 3)
    if write == 1:
        yield from _latency(f"{name}: read", "Lr", case, seen)
    for rank, fraction in (("t50", 0.5), ("t99", 0.99), ("t999", 0.999)):
        truth = _quantile(case, rank)
        if truth.value > 0:
            yield estimated(
                SECTION, f"{name}: t of {fraction:.1%} fresh", truth, quantile(seen, seen.late, fraction), "ms"
            )
    for at, chance in case["p_consistent_at"].items():
        if chance < SURE:
            truth = Estimate(chance, (chance * (1 - chance) / TRIALS) ** 0.5)
            yield estimated(SECTION, f"{name}: fresh at {at} ms", truth, probability(seen, float(at)), "")


def _latency(name: str, key: str, case: Mapping[str, Any], seen: Looks, *, tail: bool = True) -> Iterator[Finding]:
    values = seen.commit if key == "Lw" else seen.read
    if tail:  # the slowest of three writes with a heavy tail has no variance, so its mean has no interval
        spread = float(values.std()) / TRIALS**0.5
        yield estimated(SECTION, f"{name}, mean", Estimate(case[f"{key}_mean"], spread), mean(values), "ms")
    median = quantile(seen, values, 0.5)
    yield estimated(
        SECTION, f"{name}, p50", Estimate(case[f"{key}50"], median.error * (values.size / TRIALS) ** 0.5), median, "ms"
    )
    yield estimated(SECTION, f"{name}, p99.9", _quantile(case, f"{key}999"), quantile(seen, values, 0.999), "ms")


def _quantile(case: Mapping[str, Any], key: str) -> Estimate:
    """A reference quantile with its error; those that are exactly 0 have none."""
    if key in case:
        return Estimate(float(case[key]), 0.0)
    value, low, high = case[f"{key}_ci95"]
    return Estimate(float(value), float(np.float64(high - low)) / HALF_95)
