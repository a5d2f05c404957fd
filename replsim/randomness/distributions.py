"""Distributions of durations and sizes.

A distribution is written as one family with its parameters in the words people use, or as a bare quantity::

    latency: 5ms
    latency: {lognormal: {median: 0.6ms, p99: 2ms}}

Every family draws by inverse transform, one uniform a draw, so that two settings that run with the same
seed see the same luck (common random numbers).  Values are floats in the quantity's inner unit (nanoseconds
or bytes); `replsim.randomness.streams` rounds them to integers, once.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Generic, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_serializer, model_validator

from replsim.errors import UnitError
from replsim.randomness.families import (
    Constant,
    Empirical,
    Exponential,
    Family,
    Floats,
    Gamma,
    Lognormal,
    Normal,
    Pareto,
    Positive,
    Q,
    Scipy,
    Uniform,
    Weibull,
)
from replsim.units import Duration, Size

_Constant = Constant[Any]
_NONE = np.empty(0, dtype=np.int64)

__all__ = ["Distribution", "DurationDistribution", "Empirical", "Part", "SizeDistribution"]


class Distribution(BaseModel, Generic[Q]):
    """One family, or a mixture of distributions.  A bare quantity is short for ``{constant: …}``, ``exponential 5ms``
    for an exponential one of that mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    constant: Q | None = None
    """Always the same value."""
    uniform: Uniform[Q] | None = None
    """Any value between two bounds alike."""
    exponential: Exponential[Q] | None = None
    """Memoryless, by its mean."""
    normal: Normal[Q] | None = None
    """Normal, truncated at zero."""
    lognormal: Lognormal[Q] | None = None
    """By its median and 99th percentile, as latencies are usually known."""
    gamma: Gamma[Q] | None = None
    """By its mean and shape."""
    weibull: Weibull[Q] | None = None
    """By its scale and shape."""
    pareto: Pareto[Q] | None = None
    """A heavy tail, by its minimum and shape."""
    empirical: Empirical[Q] | None = None
    """Measured samples."""
    scipy: Scipy | None = None
    """Any continuous distribution of ``scipy.stats``."""
    mixture: Annotated[tuple[Part[Q], ...], Field(min_length=1)] | None = None
    """Parts, each with its weight."""

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        if isinstance(value, dict | Distribution):
            return value
        if hasattr(value, "dist") and hasattr(value, "ppf"):
            raise ValueError("a frozen scipy.stats distribution needs a unit: Distribution.of(frozen, unit='ms')")
        if isinstance(value, str) and value.startswith("exponential "):
            return {"exponential": value.removeprefix("exponential ")}
        return {"constant": value}

    @model_validator(mode="after")
    def _one_family(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            families = ", ".join(type(self).model_fields)
            raise ValueError(f"give exactly one of {families}" + (f", not {' and '.join(given)}" if given else ""))
        if self.scipy is not None:
            try:
                type(self).model_validate(f"1 {self.scipy.unit}")
            except ValidationError as error:
                raise ValueError(str(error.errors()[0]["ctx"]["error"])) from None
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: Any) -> Any:
        fields = handler(self)
        if not isinstance(fields, dict):  # pydantic wraps a recursive generic twice
            return fields
        given = {name: value for name, value in fields.items() if value is not None}
        return given.get("constant", given)

    @classmethod
    def of(cls, frozen: Any, *, unit: str) -> Self:
        """A frozen ``scipy.stats`` distribution whose values are in ``unit`` (such as ``'ms'`` or ``'B'``).

        Raises `UnitError` where ``frozen`` is not one.
        """
        if not (hasattr(frozen, "dist") and hasattr(frozen, "ppf")):
            raise UnitError(f"expected a frozen scipy.stats distribution, got {frozen!r}")
        shapes = (frozen.dist.shapes or "").replace(" ", "").split(",") if frozen.dist.shapes else []
        args = dict(zip([*shapes, "loc", "scale"], frozen.args, strict=False)) | dict(frozen.kwds)
        return cls.model_validate({"scipy": {"name": frozen.dist.name, "args": args, "unit": unit}})

    @property
    def family(self) -> Family | None:
        """The family, or None for a mixture."""
        if self.constant is not None:
            return _Constant(value=self.constant)
        fields = (name for name in type(self).model_fields if name not in ("constant", "mixture"))
        return next((getattr(self, name) for name in fields if getattr(self, name) is not None), None)

    @property
    def mean(self) -> float:
        """The mean, in nanoseconds or bytes."""
        if self.mixture is not None:
            total = math.fsum(part.weight for part in self.mixture)
            return math.fsum(part.weight * part.of.mean for part in self.mixture) / total
        assert self.family is not None
        return self.family.mean

    def values(self, u: Floats, first: int = 0, phase: float = 0.0) -> Floats:
        """The draws that the uniforms ``u`` stand for; they are draws ``first``, ``first + 1``, … of a stream.

        ``phase`` is the stream's own constant uniform: it chooses where a sequence of samples starts.
        """
        in_order = self.mixture is not None or self.empirical is not None
        return self._values(u, np.arange(first, first + len(u)) if in_order else _NONE, phase)

    def _values(self, u: Floats, k: NDArray[np.int64], phase: float) -> Floats:
        """As `values`, for draws number ``k``, where that matters: a part of a mixture does not take them all."""
        if self.empirical is not None and self.empirical.order == "sequence":
            return self.empirical.in_sequence(k, phase)
        if self.mixture is None:
            assert self.family is not None
            return self.family.quantile(u)
        # One uniform chooses the part, and what is left of it, stretched to (0, 1), draws from that part.
        edges = np.cumsum([part.weight for part in self.mixture])
        edges = np.concatenate([[0.0], edges / edges[-1]])
        chosen = np.minimum(np.searchsorted(edges, u, side="right") - 1, len(self.mixture) - 1)
        drawn = np.empty_like(u)
        for place, part in enumerate(self.mixture):
            mine = chosen == place
            within = np.clip((u[mine] - edges[place]) / (edges[place + 1] - edges[place]), 2.0**-54, 1 - 2.0**-53)
            drawn[mine] = part.of._values(within, k[mine], phase)
        return drawn


class Part(BaseModel, Generic[Q]):
    """One part of a mixture: ``weight`` of all draws come from the distribution ``of``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: Annotated[Positive, Field(examples=[1])]
    """The share of draws, relative to the other parts' weights."""
    of: Distribution[Q]
    """What is drawn then."""


DurationDistribution = Distribution[Duration]
"""A distribution of durations; values in nanoseconds."""
SizeDistribution = Distribution[Size]
"""A distribution of sizes; values in bytes."""
