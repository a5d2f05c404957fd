"""What a scenario expects of its own result: ``commit_latency.p99 < 20ms``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, WithJsonSchema, model_serializer, model_validator

__all__ = ["Expectation"]

_GRAMMAR: Final = re.compile(r"\s*([A-Za-z_][\w.\-]*)\s*(<=|>=|==|!=|<|>)\s*(\S.*?)\s*")
_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}


class _Expectation(BaseModel):
    """One comparison of a metric with a quantity in the metric's unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    comparison: str
    quantity: str

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        match = _GRAMMAR.fullmatch(value)
        if match is None:
            raise ValueError(f"expected 'metric < quantity', such as 'commit_latency.p99 < 20ms', got {value!r}")
        metric, comparison, quantity = match.groups()
        return {"metric": metric, "comparison": comparison, "quantity": quantity}

    @model_serializer(mode="plain")
    def _as_written(self) -> str:
        return str(self)

    def holds(self, value: float, bound: float) -> bool:
        """Whether ``value`` (of the metric) stands to ``bound`` (the quantity, read) as expected; NaN never does."""
        return value == value and _OPERATORS[self.comparison](value, bound)

    def __str__(self) -> str:
        return f"{self.metric} {self.comparison} {self.quantity}"


Expectation = Annotated[
    _Expectation,
    WithJsonSchema({"type": "string", "examples": ["commit_latency.p99 < 20ms"], "pattern": _GRAMMAR.pattern}),
]
