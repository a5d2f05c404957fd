"""The families of distributions: the parameters of each are its fields, and its inverse cdf its one method.

Every family draws by inverse transform, one uniform a draw.  Values are floats in the quantity's inner unit
(nanoseconds or bytes).
"""

# ruff: noqa: D102 - `Family` says once what `mean` and `quantile` are

from __future__ import annotations

import difflib
import math
from abc import abstractmethod
from pathlib import Path
from typing import Annotated, Any, Final, Generic, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, ValidationInfo, model_validator

from replsim.randomness.samples import Samples, read_column
from replsim.units import parse_duration, parse_size

__all__ = [
    "Constant",
    "Empirical",
    "Exponential",
    "Family",
    "Floats",
    "Gamma",
    "Lognormal",
    "Normal",
    "Pareto",
    "Positive",
    "Q",
    "Scipy",
    "Uniform",
    "Weibull",
]

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
    """The least value."""
    high: Q
    """The greatest value."""

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
    """Memoryless, by its ``mean``; a bare quantity is the mean."""

    mean_: Annotated[Q, Field(alias="mean")]
    """The mean."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        return value if isinstance(value, dict | Exponential) else {"mean": value}

    @property
    def mean(self) -> float:
        return float(self.mean_)  # type: ignore[arg-type]

    def quantile(self, u: Floats) -> Floats:
        values = np.negative(u)
        np.log1p(values, out=values)
        values *= -self.mean
        return values


class Normal(Family, Generic[Q]):
    """Normal by mean and standard deviation, truncated at zero (the part below zero is never drawn)."""

    mean_: Annotated[Q, Field(alias="mean")]
    """The mean before truncation."""
    sd: Q
    """The standard deviation before truncation."""

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
    """Half of the draws lie below it."""
    p99: Q
    """99 of 100 draws lie below it."""

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

        # In place: the same values, without a pass over fresh memory for each operation.
        values: Floats = np.asarray(ndtri(u))
        values *= self._sigma
        np.exp(values, out=values)
        values *= float(self.median)  # type: ignore[arg-type]
        return values


class Gamma(Family, Generic[Q]):
    """Gamma by its ``mean`` and ``shape`` (shape 1 is exponential; higher is steadier)."""

    mean_: Annotated[Q, Field(alias="mean")]
    """The mean."""
    shape: Annotated[Positive, Field(examples=[2])]
    """1 is exponential; higher is steadier."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    @property
    def mean(self) -> float:
        return float(self.mean_)  # type: ignore[arg-type]

    def quantile(self, u: Floats) -> Floats:
        from scipy.special import gammaincinv

        return np.asarray(self.mean / self.shape * gammaincinv(self.shape, u), dtype=np.float64)


class Weibull(Family, Generic[Q]):
    """Weibull by ``scale`` (the 63rd percentile) and ``shape`` (below 1: a heavy tail)."""

    scale: Q
    """The 63rd percentile."""
    shape: Annotated[Positive, Field(examples=[2])]
    """Below 1: a heavy tail; 1: exponential; above: steadier."""

    @property
    def mean(self) -> float:
        return float(self.scale) * math.gamma(1 + 1 / self.shape)  # type: ignore[arg-type]

    def quantile(self, u: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return float(self.scale) * (-np.log1p(-u)) ** (1 / self.shape)  # type: ignore[arg-type]


class Pareto(Family, Generic[Q]):
    """Pareto by ``minimum`` and ``shape`` (2 or less: no variance; 1 or less: no mean)."""

    minimum: Q
    """The least value."""
    shape: Annotated[Positive, Field(examples=[2])]
    """The exponent of the tail: 2 or less has no variance, 1 or less no mean."""

    @property
    def mean(self) -> float:
        return float(self.minimum) * self.shape / (self.shape - 1) if self.shape > 1 else math.inf  # type: ignore[arg-type]

    def quantile(self, u: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return float(self.minimum) * (1 - u) ** (-1 / self.shape)  # type: ignore[arg-type]


class Scipy(Family):
    """Any distribution of ``scipy.stats`` by its name there, with its arguments and the unit of its values."""

    name: Annotated[str, Field(examples=["gamma"])]
    """Its name in ``scipy.stats``, such as ``gamma``; it must be continuous."""
    args: dict[str, float] = {}
    """Its arguments there by name, such as ``{a: 2, scale: 0.5}``."""
    unit: Annotated[str, Field(examples=["ms"])]
    """The unit of its values, such as ``ms`` or ``kB``."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        try:
            median = float(self._frozen.ppf(0.5))
        except AttributeError:
            from scipy import stats

            known = [name for name in dir(stats) if isinstance(getattr(stats, name), stats.rv_continuous)]
            near = difflib.get_close_matches(self.name, known, n=1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"scipy.stats has no continuous distribution {self.name!r}{hint}") from None
        except TypeError:
            median = math.nan
        if not math.isfinite(median):
            raise ValueError(f"scipy.stats.{self.name} does not accept the arguments {self.args}")
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
        parse = parse_size if self.unit.endswith("B") else parse_duration
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
    """The samples themselves, in place of a file."""
    file: str | None = None
    """A CSV file (plain or ``.gz``), relative to the scenario's folder."""
    column: str | None = None
    """The column of the file; without it, the first."""
    unit: str | None = None
    """The unit of the file's numbers, such as ``us``."""
    where: dict[str, str | int] = {}
    """Keep the rows whose named columns hold exactly this."""
    order: Literal["random", "sequence"] = "random"
    """Draw samples at ``random``, or replay them in ``sequence``."""
    _values: tuple[float, ...] = PrivateAttr(())
    _samples: Samples = PrivateAttr(Samples(()))

    @model_validator(mode="after")
    def _read(self, info: ValidationInfo) -> Self:
        if bool(self.samples) == bool(self.file):
            raise ValueError("give either samples or a file")
        self._values = tuple(self._measured(info))
        self._samples = Samples(self._values)
        return self

    def _measured(self, info: ValidationInfo) -> list[float]:
        """The samples in the quantity's inner unit, read from the file where there is one."""
        if self.file is None:
            if self.column is not None or self.unit is not None or self.where:
                raise ValueError("column, unit and where belong to a file: samples carry their own units")
            return [float(sample) for sample in self.samples]  # type: ignore[arg-type]
        folder = (info.context or {}).get("folder", Path())
        if folder is None:
            raise ValueError("a scenario that is not a file of yours cannot read files: write the samples in line")
        if self.unit is None:
            raise ValueError("a file needs the unit of its numbers, such as unit: us")
        # Read as a sample of this quantity, so that a size is refused where a duration is meant.
        try:
            factor = type(self).model_validate({"samples": [f"1 {self.unit}"]})._values[0]
        except ValidationError as error:
            raise ValueError(str(error.errors()[0]["ctx"]["error"])) from None
        return [value * factor for value in read_column(folder, self.file, self.column, self.where)]

    @property
    def mean(self) -> float:
        return math.fsum(self._values) / len(self._values)

    def quantile(self, u: Floats) -> Floats:
        values = self._samples.ascending
        return values[(u * len(values)).astype(np.int64)]

    @property
    def measured(self) -> Floats:
        """The samples in the given order, in the quantity's inner unit; not to be written to."""
        return self._samples.values

    def in_sequence(self, k: NDArray[np.int64], phase: float) -> Floats:
        """Samples number ``k`` of the endless sequence that starts at ``phase`` (a fraction of the whole)."""
        values = self._samples.values
        return values[(int(phase * len(values)) + k) % len(values)]
