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
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from replsim.errors import UnitError
from replsim.randomness.samples import read_column
from replsim.units import Duration, Size, parse_duration, parse_size

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Distribution", "DurationDistribution", "SizeDistribution"]

Floats = NDArray[np.float64]
Q = TypeVar("Q")

Z99: Final = 2.3263478740408408
"""The 99th percentile of the standard normal distribution."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Family(BaseModel):
    """One family of distributions: its parameters are its fields, its inverse cdf its one method."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    @abstractmethod
    def mean(self) -> float:
        """The mean, in the quantity's inner unit (``inf`` where there is none)."""

    @abstractmethod
    def quantile(self, u: Floats) -> Floats:
        """The values below which a fraction ``u`` of draws lies (``0 < u < 1``, any shape)."""


class Constant(Family, Generic[Q]):
    """Always the same value."""

    value: Q

    @property
    def mean(self) -> float:
        return float(self.value)  # type: ignore[arg-type]

    def quantile(self, u: Floats) -> Floats:
        return np.full(u.shape, self.mean)


class Uniform(Family, Generic[Q]):
    """Any value between ``low`` and ``high`` alike."""

    low: Q
    high: Q

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:  # type: ignore[operator]
            raise ValueError("low must not exceed high")
        return self

    @property
    def mean(self) -> float:
        return (float(self.low) + float(self.high)) / 2  # type: ignore[arg-type]

    def quantile(self, u: Floats) -> Floats:
        low, high = float(self.low), float(self.high)  # type: ignore[arg-type]
        return low + (high - low) * u


class Exponential(Family, Generic[Q]):
    """Memoryless, by its ``mean``."""

    mean_: Annotated[Q, Field(alias="mean")]

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    @property
    def mean(self) -> float:
        return float(self.mean_)  # type: ignore[arg-type]

    def quantile(self, u: Floats) -> Floats:
        return -self.mean * np.log1p(-u)


class Normal(Family, Generic[Q]):
    """Normal by mean and standard deviation, truncated at zero (the part below zero is never drawn)."""

    mean_: Annotated[Q, Field(alias="mean")]
    sd: Q

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    @model_validator(mode="after")
    def _spread(self) -> Self:
        if self.sd <= 0:  # type: ignore[operator]
            raise ValueError("sd must be above zero (write a constant instead)")
        return self

    @property
    def mean(self) -> float:
        mu, sd = float(self.mean_), float(self.sd)  # type: ignore[arg-type]
        a = -mu / sd
        density = math.exp(-a * a / 2) / math.sqrt(2 * math.pi)
        return mu + sd * density / (0.5 * math.erfc(a / math.sqrt(2)))

    def quantile(self, u: Floats) -> Floats:
        from scipy.special import ndtri

        mu, sd = float(self.mean_), float(self.sd)  # type: ignore[arg-type]
        below = 0.5 * math.erfc(mu / sd / math.sqrt(2))
        return np.maximum(mu + sd * np.asarray(ndtri(below + (1 - below) * u)), 0.0)


class Lognormal(Family, Generic[Q]):
    """Lognormal by its ``median`` and 99th percentile, as latencies are usually known."""

    median: Q
    p99: Q

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not 0 < self.median < self.p99:  # type: ignore[operator]
            raise ValueError("needs 0 < median < p99")
        return self

    @property
    def _sigma(self) -> float:
        return math.log(float(self.p99) / float(self.median)) / Z99  # type: ignore[arg-type]

    @property
    def mean(self) -> float:
        return float(self.median) * math.exp(self._sigma**2 / 2)  # type: ignore[arg-type]

    def quantile(self, u: Floats) -> Floats:
        from scipy.special import ndtri

        return float(self.median) * np.exp(self._sigma * np.asarray(ndtri(u)))  # type: ignore[arg-type]


class Gamma(Family, Generic[Q]):
    """Gamma by its ``mean`` and ``shape`` (shape 1 is exponential; higher is steadier)."""

    mean_: Annotated[Q, Field(alias="mean")]
    shape: Positive

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    @property
    def mean(self) -> float:
        return float(self.mean_)  # type: ignore[arg-type]

    def quantile(self, u: Floats) -> Floats:
        from scipy.special import gammaincinv

        return self.mean / self.shape * np.asarray(gammaincinv(self.shape, u))


class Weibull(Family, Generic[Q]):
    """Weibull by ``scale`` (the 63rd percentile) and ``shape`` (below 1: a heavy tail)."""

    scale: Q
    shape: Positive

    @property
    def mean(self) -> float:
        return float(self.scale) * math.gamma(1 + 1 / self.shape)  # type: ignore[arg-type]

    def quantile(self, u: Floats) -> Floats:
        return float(self.scale) * (-np.log1p(-u)) ** (1 / self.shape)  # type: ignore[arg-type]


class Pareto(Family, Generic[Q]):
    """Pareto by ``minimum`` and ``shape`` (2 or less: no variance; 1 or less: no mean)."""

    minimum: Q
    shape: Positive

    @property
    def mean(self) -> float:
        return float(self.minimum) * self.shape / (self.shape - 1) if self.shape > 1 else math.inf  # type: ignore[arg-type]

    def quantile(self, u: Floats) -> Floats:
        return float(self.minimum) * (1 - u) ** (-1 / self.shape)  # type: ignore[arg-type]


class Scipy(Family):
    """Any distribution of ``scipy.stats`` by its name there, with its arguments and the unit of its values."""

    name: str
    args: dict[str, float] = {}
    unit: str

    @model_validator(mode="after")
    def _known(self) -> Self:
        try:
            median = float(self._frozen.ppf(0.5))
        except (AttributeError, TypeError) as error:
            raise ValueError(f"scipy.stats has no such distribution: {error}") from None
        if not math.isfinite(median):
            raise ValueError(f"scipy.stats.{self.name} does not accept {self.args}")
        self._factor  # noqa: B018 - an unknown unit is refused here
        return self

    @property
    def _frozen(self) -> Any:
        from scipy import stats

        generic = getattr(stats, self.name, None)
        if not isinstance(generic, stats.rv_continuous):
            raise AttributeError(f"{self.name!r} is not continuous, or not there")
        return generic(**self.args)

    @property
    def _factor(self) -> float:
        parse: Callable[[Any], int] = parse_size if self.unit.endswith("B") else parse_duration
        return float(parse(f"1 {self.unit}"))

    @property
    def mean(self) -> float:
        return float(self._frozen.mean()) * self._factor

    def quantile(self, u: Floats) -> Floats:
        return np.maximum(np.asarray(self._frozen.ppf(u), dtype=np.float64) * self._factor, 0.0)


class Empirical(Family, Generic[Q]):
    """Measured samples: in line, or a column of a CSV file; drawn at random, or replayed in sequence.

    ``order: sequence`` keeps what follows what (the bursts of a real disk): it starts at a place chosen by
    the seed and begins again at the end.
    """

    samples: tuple[Q, ...] = ()
    file: str | None = None
    column: str | None = None
    unit: str | None = None
    where: dict[str, str | int] = {}
    order: Literal["random", "sequence"] = "random"
    _values: tuple[float, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _read(self, info: ValidationInfo) -> Self:
        if bool(self.samples) == bool(self.file):
            raise ValueError("give either samples or a file")
        if self.file is None:
            self._values = tuple(float(sample) for sample in self.samples)  # type: ignore[arg-type]
            return self
        folder = (info.context or {}).get("folder", Path())
        if folder is None:
            raise ValueError("a scenario that is not a file of yours cannot read files: write the samples in line")
        if self.unit is None:
            raise ValueError("a file needs the unit of its numbers, such as unit: us")
        parse = parse_size if self.unit.endswith("B") else parse_duration
        factor = float(parse(f"1 {self.unit}"))
        self._values = tuple(value * factor for value in read_column(folder / self.file, self.column, self.where))
        return self

    @property
    def mean(self) -> float:
        return math.fsum(self._values) / len(self._values)

    def quantile(self, u: Floats) -> Floats:
        values = np.sort(np.array(self._values))
        return values[(u * len(values)).astype(np.int64)]

    def in_sequence(self, first: int, count: int, phase: float) -> Floats:
        """Samples ``first`` to ``first + count`` of the endless sequence that starts at ``phase``."""
        values = np.array(self._values)
        start = int(phase * len(values)) + first
        return values[np.arange(start, start + count) % len(values)]


class Distribution(BaseModel, Generic[Q]):
    """One family, or a mixture of distributions.  A bare quantity is short for ``{constant: …}``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    constant: Q | None = None
    uniform: Uniform[Q] | None = None
    exponential: Exponential[Q] | None = None
    normal: Normal[Q] | None = None
    lognormal: Lognormal[Q] | None = None
    gamma: Gamma[Q] | None = None
    weibull: Weibull[Q] | None = None
    pareto: Pareto[Q] | None = None
    empirical: Empirical[Q] | None = None
    scipy: Scipy | None = None
    mixture: tuple[Part[Q], ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        if isinstance(value, dict | Distribution):
            return value
        if hasattr(value, "dist") and hasattr(value, "ppf"):
            raise ValueError("a frozen scipy.stats distribution needs a unit: Distribution.of(frozen, unit='ms')")
        return {"constant": value}

    @model_validator(mode="after")
    def _one_family(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            families = ", ".join(type(self).model_fields)
            raise ValueError(f"give exactly one of {families}" + (f", not {' and '.join(given)}" if given else ""))
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
            return Constant[Any](value=self.constant)
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
        if self.empirical is not None and self.empirical.order == "sequence":
            return self.empirical.in_sequence(first, len(u), phase)
        if self.mixture is None:
            assert self.family is not None
            return self.family.quantile(u)
        # One uniform chooses the part, and what is left of it, stretched to (0, 1), draws from that part.
        edges = np.cumsum([part.weight for part in self.mixture])
        edges = np.concatenate([[0.0], edges / edges[-1]])
        chosen = np.minimum(np.searchsorted(edges, u, side="right") - 1, len(self.mixture) - 1)
        drawn = np.empty_like(u)
        for k, part in enumerate(self.mixture):
            mine = chosen == k
            within = np.clip((u[mine] - edges[k]) / (edges[k + 1] - edges[k]), 2.0**-54, 1 - 2.0**-53)
            drawn[mine] = part.of.values(within, first, phase)
        return drawn


class Part(BaseModel, Generic[Q]):
    """One part of a mixture: ``weight`` of all draws come from the distribution ``of``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: Positive
    of: Distribution[Q]


DurationDistribution = Distribution[Duration]
"""A distribution of durations; values in nanoseconds."""
SizeDistribution = Distribution[Size]
"""A distribution of sizes; values in bytes."""
