"""The whole engine against theory: each closed form within four standard errors, and known to 2%."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

from replsim.engines.events import run
from replsim.proof import failures, fluid, loops, ordered_stream, queues, quorums, serial
from replsim.proof.closed_forms import CLOSED_FORMS
from replsim.proof.form import records_of

ROWS = {*range(1, 21)}


@pytest.mark.slow
@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_the_engine_matches_the_closed_form(name: str) -> None:
    """A scenario run through the whole engine shows the number that theory gives for it."""
    form = CLOSED_FORMS[name]
    objection = form.objection(form.estimate(records_of(form)))
    assert not objection, objection


@pytest.mark.parametrize("name", [name for name, form in CLOSED_FORMS.items() if form.worked])
def test_the_formula_gives_the_worked_value(name: str) -> None:
    """Each formula gives the table's own figure, to the digits that the table shows."""
    form = CLOSED_FORMS[name]
    digits = len(form.worked.partition(".")[2])
    assert abs(form.truth - float(form.worked)) <= 0.5001 * 10**-digits


def test_every_row_is_there() -> None:
    """Each row of the table that an engine can show has a closed form here, and no two share a name."""
    assert {form.number for form in CLOSED_FORMS.values()} - {0} == ROWS
    themes = (queues, loops, quorums, ordered_stream, failures, fluid, serial)
    assert len(CLOSED_FORMS) == sum(len(theme.FORMS) for theme in themes)


def test_group_commit_lies_within_its_bounds() -> None:
    """The chain of batches gives a throughput between N/(2s+Z) and N/(s+Z), and 1/(s+Z) for one client."""
    assert loops.group_commit(1, 1.0, 1.0) == pytest.approx(1 / 2)
    for clients in (2, 8, 40):
        assert clients / 3 <= loops.group_commit(clients, 1.0, 1.0) <= clients / 2


def test_an_order_statistic_is_the_integral_of_its_tail() -> None:
    """The closed forms for the k-th of n and for its distribution agree with each other."""
    for k, n in ((1, 3), (2, 3), (3, 5)):
        mean = quad(lambda t, k=k, n=n: 1 - quorums.kth_by(k, n, 1 - math.exp(-t)), 0, math.inf)[0]
        assert mean == pytest.approx(quorums.kth_of_exponentials(k, n))


def test_what_a_crash_loses_behind_a_constant_delay_is_poisson() -> None:
    """The variance of the losses is their mean (closed form 14), within four of its standard errors."""
    form = CLOSED_FORMS["commits lost at a crash, constant delay"]
    lost = np.concatenate([failures.losses(record).commits for record in records_of(form)])
    assert len(lost) == 300
    assert lost.var(ddof=1) / lost.mean() == pytest.approx(1, abs=4 * math.sqrt(2 / len(lost)))


def test_no_commit_at_off_is_at_risk_for_longer_than_three_delays_of_the_wal_writer() -> None:
    """The cap of closed form 16, λ 3w, where records do not end with pages: what is lost is younger than 3 x 200 ms,
    though some of it is older than one delay (§1.1)."""
    form = CLOSED_FORMS["commits at off lost at a crash"]
    slow = {"app": {"arrivals": "poisson", "rate": "20/s", "record": "600 B"}}
    lost = failures.losses(run(form.scenario.changed(writers=slow), 1))
    assert 0.2e9 < lost.age.max() <= 0.6e9
