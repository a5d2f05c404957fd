"""Measured samples in a CSV file, read once when a scenario is checked."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from replsim.errors import UnitError

__all__ = ["LARGEST_FILE_BYTES", "Samples", "read_column"]

LARGEST_FILE_BYTES: Final = 64 * 1024 * 1024
"""A sample file beyond this size, unpacked, is refused: thin it out, a distribution does not need so many."""


class Samples:
    """Samples as arrays, in the given order and ascending; two are equal where their values are."""

    __slots__ = ("ascending", "values")

    def __init__(self, values: Sequence[float]) -> None:
        self.values: Final = np.array(values, dtype=np.float64)
        self.ascending: Final = np.sort(self.values)
        self.values.setflags(write=False)
        self.ascending.setflags(write=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Samples) and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        return hash(self.values.tobytes())


def read_column(folder: Path, name: str, column: str | None, where: Mapping[str, str | int]) -> list[float]:
    """The numbers in one column of the CSV file ``name`` (plain or ``.gz``) in ``folder``, in the file's order.

    The file has a header line, unless ``column`` is None and its first line is a number.  ``where`` keeps
    the rows whose named columns hold exactly the given text.  Raises `UnitError` with the line at fault.
    """
    rows = list(_rows(folder / name, name))
    if not rows:
        raise UnitError(f"{name!r} is empty")
    (_, header), *body = rows
    if column is None and not where and _is_number(header[0]):
        return [_number(row[0], name, line) for line, row in rows]
    chosen = header[0] if column is None else column
    for needed in (chosen, *where):
        if needed not in header:
            raise UnitError(f"{name!r} has no column {needed!r}; its columns are {', '.join(header)}")
    at = header.index(chosen)
    tests = [(header.index(key), str(text)) for key, text in where.items()]
    values = []
    for line, row in body:
        if len(row) < len(header):
            raise UnitError(f"{name}:{line}: {len(row)} columns, but the header has {len(header)}")
        if all(row[i] == text for i, text in tests):
            values.append(_number(row[at], name, line))
    if not values:
        wanted = " and ".join(f"{key} is {text}" for key, text in where.items())
        raise UnitError(f"{name!r} has no row where {wanted}" if where else f"{name!r} has a header, but no rows")
    return values


def _rows(path: Path, name: str) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, each with its line."""
    if not path.is_file():
        raise UnitError(f"there is no file {name!r} (paths are relative to the scenario's folder)")
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            data = file.read(LARGEST_FILE_BYTES + 1)
        if len(data) > LARGEST_FILE_BYTES:
            raise UnitError(f"{name!r} is larger than {LARGEST_FILE_BYTES} bytes: thin the samples out")
        reader = csv.reader(data.decode("utf-8-sig").splitlines())
        return [(reader.line_num, row) for row in reader if row]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise UnitError(f"{name!r} cannot be read as CSV: {error}") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(text: str, name: str, line: int) -> float:
    if not _is_number(text):
        raise UnitError(f"{name}:{line}: {text!r} is not a number")
    value = float(text)
    if not 0 <= value < float("inf"):
        raise UnitError(f"{name}:{line}: {text} is not a finite, non-negative number")
    return value
