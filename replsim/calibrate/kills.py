"""What a kill of the primary loses: measured on real servers, and counted by the ledger of the same kill here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from replsim import front
from replsim.units import SECOND

__all__ = ["SCENARIO", "Losses", "losses"]

SCENARIO: Final = "failover_kill_d20-40"
MOMENTS: Final = ("3s", "3.37s", "3.71s", "4.13s", "4.9s")
"""When the simulated primary dies."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Kills of one kind: how many acknowledged commits each lost, and how much of the load that is."""

    level: str
    """Its ``synchronous_commit``."""
    names: str
    """Its ``synchronous_standby_names``."""
    in_flight: str
    """``lost`` or ``arrives``: what becomes of what is on its way."""
    measured: tuple[int, ...]
    measured_ms: tuple[float, ...]
    """The same over the throughput before the kill, in milliseconds."""
    simulated: tuple[int, ...]
    simulated_ms: tuple[float, ...]


def losses(folder: Path | None = None) -> Iterator[Losses]:
    """Every kind of kill that was measured, beside simulated ones."""
    folder = folder or front.scenarios_folder() / "validation"
    kinds: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for each in json.loads((folder / "data" / "failover.json").read_text(encoding="utf-8")):
        in_flight = "lost" if each["inflight_lost"] else "arrives"
        kinds.setdefault((each["sync"], each["ssn"], in_flight), []).append(each)
    for (level, names, in_flight), kills in kinds.items():
        here = [_kill(folder, level, names, in_flight, moment) for moment in MOMENTS]
        yield Losses(
            level, names, in_flight,
            tuple(kill["lost_acked"] for kill in kills), tuple(kill["lost_equiv_ms"] for kill in kills),
            tuple(lost for lost, _ in here), tuple(ms for _, ms in here),
        )  # fmt: skip


def _kill(folder: Path, level: str, names: str, in_flight: str, moment: str) -> tuple[int, float]:
    """What one simulated kill loses: commits, and milliseconds of the load before it."""
    rule = {"primary.synchronous_commit": level, "primary.synchronous_standby_names": f'"{names}"'}
    scenario = front.load(folder / f"{SCENARIO}.yaml", overrides=rule)
    fault = {"at": moment, "crash": scenario.primary.name, "in_flight": in_flight}
    result = front.run(scenario.changed(faults=[fault], expect=[]))
    lost, told = result.metrics["lost_commits"], result.commits["acknowledged"]
    crash = result.scenario.faults[0].at
    assert crash is not None
    load = np.count_nonzero((told >= SECOND) & (told < crash)) / ((crash - SECOND) / 1e6)
    return int(lost), float(lost / load)
