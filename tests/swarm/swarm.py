"""One scenario of the swarm: run it, and judge what it left behind."""

from __future__ import annotations

import traceback
from collections.abc import MutableSequence

import replsim
from replsim.analysis.checks import unchecked, violations
from replsim.scenario import yaml
from tests.swarm.scenarios import random_scenario

__all__ = ["failures", "told"]


def failures(seed: int, left_out: MutableSequence[str] | None = None) -> list[str]:
    """What is wrong with the scenario of a seed: broken invariants, or the exception that ended it.

    What the checks could not look at goes to ``left_out``.
    """
    try:
        record = replsim.run(random_scenario(seed)).record
        if left_out is not None:
            left_out.extend(unchecked(record))
        return violations(record)
    except Exception:  # noqa: BLE001 - whatever it is, it is a finding, and the next seed has its turn
        return [traceback.format_exc()]


def told(seed: int) -> str:
    """The scenario of a seed, what is wrong with it, and how to run it again."""
    wrong = failures(seed) or ["nothing is wrong"]
    lines = [f"# seed {seed}", yaml.dumps(random_scenario(seed)).rstrip(), *(f"# {line}" for line in wrong)]
    return "\n".join([*lines, f"# again: .venv/bin/python -m tests.swarm --seed {seed}"])
