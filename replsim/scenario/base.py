"""What every part of a scenario shares: how it is checked, and how names and whole numbers are written."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

__all__ = ["Count", "Name", "Part", "Whole"]


class Part(BaseModel):
    """A part of a scenario: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


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
