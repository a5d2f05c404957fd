"""Theory has teeth: each deliberately wrong model of the engine fails a closed form, and only where it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from replsim.engines.events import run
from replsim.proof.closed_forms import CLOSED_FORMS
from tests.theory import mutants

SERIAL_ON = "commit at on, write 0s"
SERIAL_WRITE = "commit at remote_write, write 0s"
SERIAL_LOCAL = "commit at local, write 0s"

WRONG = {
    "no return trip": (mutants.no_return_trip, SERIAL_ON, SERIAL_LOCAL),
    "sum instead of maximum": (mutants.sum_of_delays, "ANY 2 of two unlike acks", SERIAL_WRITE),
    "ANY as FIRST": (mutants.any_as_first, "1 of 3 exponential acks", "3 of 3 exponential acks"),
    "an fsync per commit": (mutants.flush_per_commit, "group commit on the primary, 8 clients", SERIAL_ON),
    "an fsync per message": (mutants.flush_per_message, "group commit on the standby, 8 clients", SERIAL_ON),
    "unflushed WAL shipped": (mutants.unflushed_shipped, SERIAL_ON, SERIAL_LOCAL),
    "flush reply before the fsync": (mutants.reply_before_flush, SERIAL_ON, SERIAL_WRITE),
}
"""Each wrong model, the closed form that it fails, and one that does not depend on what is wrong with it."""


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_model_fails_its_closed_form(name: str) -> None:
    """The closed form that speaks of what is wrong fails, and one that does not still holds."""
    mutant, caught_by, holds = WRONG[name]
    assert objection(caught_by, mutant), f"{caught_by} does not notice: {name}"
    assert not objection(holds, mutant)


def test_the_wrong_models_leave_no_trace() -> None:
    """After a mutant the engine is as it was."""
    for mutant, *_ in WRONG.values():
        with mutant():
            pass
    form = CLOSED_FORMS[SERIAL_ON]
    assert not form.objection(form.estimate([run(form.scenario, 1)]))


def objection(name: str, mutant: Callable[[], AbstractContextManager[None]]) -> str:
    """What theory says to a mutant's runs of one closed form."""
    form = CLOSED_FORMS[name]
    with mutant():
        records = [run(form.scenario, seed) for seed in form.seeds]
    return form.objection(form.estimate(records))
