"""The warm-up of a run: a duration, or ``auto``, which is found when the run has been seen."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from replsim.units import format_duration, parse_duration

__all__ = ["AUTO", "Warmup"]

AUTO: Final = -1
"""Stands for ``auto`` in a scenario; whoever runs one puts the warm-up that was found in its place."""


def _read(value: Any) -> int:
    return AUTO if value == "auto" else parse_duration(value)


def _written(nanoseconds: int) -> str:
    return "auto" if nanoseconds == AUTO else format_duration(nanoseconds)


Warmup = Annotated[
    int,
    BeforeValidator(_read),
    PlainSerializer(_written),
    WithJsonSchema(
        {
            "title": "Text",
            "type": "string",
            "description": "A duration with its unit, such as '5s', or auto.",
            "examples": ["5s", "auto"],
        }
    ),
]
"""A duration in whole nanoseconds, or `AUTO`."""
