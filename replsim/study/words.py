"""How estimates are worded for people, on a terminal and in a notebook alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Final

from replsim.study.measures import Measure
from replsim.study.sample import Sample
from replsim.study.statistics import Estimate

__all__ = ["COLUMNS", "html", "row", "short"]

COLUMNS: Final = ("estimate", "95 % interval", "sd", "least … most", "by")


def row(measure: Measure, found: Estimate) -> tuple[str, ...]:
    """An estimate in words, a text a column; one that has not settled gives no mean."""
    show = measure.show
    if not found.runs:
        return ("–", "", "", "", found.method)
    ends = f"{show(found.smallest)} … {show(found.largest)}"
    if not found.settled:
        return ("no steady state", f"still moving in {found.moving} of {found.runs} runs", "", ends, "")
    by = f"{found.method} in {found.runs}" if found.method.endswith("seen") else found.method
    if found.missing:
        by += f"; {found.missing} had none"
    return (show(found.value), interval(measure, found), "" if math.isnan(found.sd) else show(found.sd), ends, by)


def interval(measure: Measure, found: Estimate) -> str:
    """The interval alone: its ends, or the one bound of what was never, or always, seen."""
    if math.isnan(found.half_width):
        return "–"
    if found.method == "none seen":
        return f"at most {measure.show(found.high)}"
    if found.method == "all seen":
        return f"at least {measure.show(found.low)}"
    return f"{measure.show(found.low)} … {measure.show(found.high)}"


def short(measure: Measure, found: Estimate, *, signed: bool = False) -> str:
    """An estimate and half of its interval's width, in a cell."""
    if not found.runs:
        return "–"
    if not found.settled:
        return "no steady state"
    # A mean of differences that cancel is no more than the rounding of their sum.
    number = 0.0 if abs(found.value) < 1e-9 * found.half_width else found.value
    value = f"{'+' if signed and number > 0 else ''}{measure.show(number)}"
    if found.method == "none seen":
        return f"{value} (≤ {measure.show(found.high)})"
    if found.method == "all seen":
        return f"{value} (≥ {measure.show(found.low)})"
    return f"{value} ± {measure.show(found.half_width)}" if found.half_width > 0 else value


def html(sample: Sample, warnings: Sequence[str]) -> str:
    """A table for a notebook."""
    head = "".join(f"<th>{escape(title)}</th>" for title in ("", *COLUMNS))
    rows = [(one.name, *row(one, sample[one.name])) for one in sample.measures]
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>" for cells in rows)
    said = "".join(f"<div>⚠ {escape(text)}</div>" for text in warnings)
    name = escape(sample.setting.scenario.name)
    return (
        f"<b>{name}</b>: {sample.finished} runs{said}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
