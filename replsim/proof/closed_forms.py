"""Every closed form that a run must match, in the order of its number.

Left out: 21, which is about a rule that no engine runs.
Of 10 and 11 only what order leaves true is here: a constant delay, and whether anything is in flight.
"""

from __future__ import annotations

from typing import Final

from replsim.proof import failures, fluid, loops, ordered_stream, queues, quorums, serial
from replsim.proof.form import ClosedForm

__all__ = ["CLOSED_FORMS"]

_THEMES: Final = (queues, loops, quorums, ordered_stream, failures, fluid, serial)

CLOSED_FORMS: Final[dict[str, ClosedForm]] = {
    form.name: form
    for form in sorted((form for theme in _THEMES for form in theme.FORMS), key=lambda form: form.number or 99)
}
"""By name.  Those without a number of their own come last."""
