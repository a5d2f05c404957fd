"""Columns of numbers in text files that others wrote: CSV, plain or gzipped, and what can be wrong with them."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replsim.errors import MeasurementError

__all__ = ["lines_of", "number", "table"]

Floats = NDArray[np.float64]


def lines_of(file: Path) -> list[str]:
    """The lines of a text file, plain or gzipped.  Raises `MeasurementError` where it cannot be read."""
    try:
        if file.suffix == ".gz":
            with gzip.open(file, "rt", encoding="utf-8") as packed:
                return packed.read().splitlines()
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise MeasurementError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def table(file: Path, needs: Sequence[str], text: Iterable[str] = ()) -> Mapping[str, NDArray[Any]]:
    """The columns of a CSV file with a header: numbers (NaN where empty), and strings for those named in ``text``.

    Raises `MeasurementError` with the line at fault, or where a column that is needed is not there.
    """
    rows = list(csv.reader(lines_of(file)))
    if not rows:
        raise MeasurementError(f"{file}: is empty")
    header, body = rows[0], [(line, row) for line, row in enumerate(rows[1:], 2) if row]
    for name in needs:
        if name not in header:
            raise MeasurementError(f"{file}:1: has no column {name!r}; its columns are {', '.join(header)}")
    for line, row in body:
        if len(row) != len(header):
            raise MeasurementError(f"{file}:{line}: has {len(row)} fields where the header has {len(header)}")
    words = set(text)
    found: dict[str, NDArray[Any]] = {}
    for place, name in enumerate(header):
        if name in words:
            found[name] = np.array([row[place] for _, row in body], dtype=np.str_)
        elif name in needs:
            found[name] = np.array([number(row[place], file, line) for line, row in body], dtype=np.float64)
        else:
            found[name] = np.array([_maybe(row[place]) for _, row in body], dtype=np.float64)
    return found


def number(text: str, file: Path, line: int) -> float:
    """A number, NaN for nothing.  Raises `MeasurementError`."""
    try:
        return float(text) if text.strip() else float("nan")
    except ValueError:
        raise MeasurementError(f"{file}:{line}: {text!r} is not a number") from None


def _maybe(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
