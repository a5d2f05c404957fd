"""A scenario as text, for the processes that work for a run: all that they need of it, and no file beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from replsim.errors import UnitError
from replsim.randomness.distributions import DurationDistribution, Empirical
from replsim.scenario import Scenario
from replsim.units import parse_duration

__all__ = ["pack", "pack_law", "unpack"]


def pack(scenario: Scenario) -> str:
    """The scenario without what is not theirs: devices, replay, faults, and what is made of the result.

    The failover stays: it is what a link between two standbys is for.
    """
    left_out = {"faults", "expect", "measured"}
    written = scenario.model_dump(mode="json", exclude_defaults=True, exclude=left_out)
    for server in (written.get("primary", {}), *written.get("standbys", {}).values()):
        for part in ("wal_device", "replay"):
            server.pop(part, None)
    return json.dumps(_with_samples(written, scenario))


def pack_law(law: DurationDistribution) -> str:
    """A distribution, which is JSON for `DurationDistribution` again."""
    return json.dumps(_with_samples(law.model_dump(mode="json"), law))


def unpack(text: str) -> Scenario:
    """The scenario again."""
    return Scenario.model_validate(json.loads(text))


def _with_samples(written: Any, held: Any) -> Any:
    """What is written, with the samples themselves in place of each file of samples."""
    if isinstance(written, list):
        return [_with_samples(*pair) for pair in zip(written, held, strict=True)]
    if not isinstance(written, dict):
        return written
    if isinstance(held, Empirical) and held.file is not None:
        unit = "ns" if _is_duration(str(held.unit)) else "B"
        return {"samples": [f"{value:.0f} {unit}" for value in held.measured], "order": held.order}
    inside = held if isinstance(held, Mapping) else vars(held) if isinstance(held, BaseModel) else {}
    return {key: _with_samples(value, inside.get(key)) for key, value in written.items()}


def _is_duration(unit: str) -> bool:
    try:
        parse_duration(f"1 {unit}")
    except UnitError:
        return False
    return True
