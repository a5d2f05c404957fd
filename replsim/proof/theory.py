"""Closed forms as findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from replsim.proof.closed_forms import CLOSED_FORMS
from replsim.proof.finding import Finding, Z
from replsim.proof.form import ClosedForm, records_of

__all__ = ["SECTION", "finding", "findings"]

SECTION: Final = "theory"


def findings() -> Iterator[Finding]:
    """Each closed form, run through the whole engine."""
    return map(finding, CLOSED_FORMS.values())


def finding(form: ClosedForm) -> Finding:
    """One closed form: within four standard errors, and known to 2%; exactly, where nothing is random."""
    found = form.estimate(records_of(form))
    suffix = f" {form.unit}" if form.unit else ""
    interval = f"± {Z * found.error:.2g}" if found.error else "exact"
    name = f"{form.number}. {form.name}" if form.number else form.name
    return Finding(
        SECTION, name, f"{form.truth:.5g}{suffix}", f"{found.value:.5g}{suffix}", interval, not form.objection(found)
    )
