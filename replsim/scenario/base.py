"""What every part of a scenario shares: how it is checked, and how names and whole numbers are written."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

__all__ = ["Count", "Name", "Part", "Quantity", "Whole"]


class Part(BaseModel):
    """A part of a scenario: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _whole(value: Any) -> Any:
    """Refuse what pydantic would quietly read as a number: ``true``, and digits in quotes."""
    if isinstance(value, bool | str):
        raise ValueError(
            f"expected a whole number, got {repr(value) if isinstance(value, str) else str(value).lower()}"
        )
    return value


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number, which ``true`` and ``'5'`` are not."""

Count = Annotated[Whole, Field(ge=1, le=1_000_000)]
"""How many of something there are: at least one."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][\w\-]*$", examples=["s1"])]
"""The name of a node, a writer, a reader or sessions: letters, digits, ``_`` and ``-``, a letter first."""


def _as_text(value: Any) -> Any:
    return f"{value!r}" if isinstance(value, int | float) and not isinstance(value, bool) else value


Quantity = Annotated[
    str,
    BeforeValidator(_as_text),
    WithJsonSchema({"type": ["string", "number"], "title": "Text", "examples": ["7.54ms"]}),
]
"""A quantity whose kind only its metric knows: text, or a bare number for a metric that is one."""
