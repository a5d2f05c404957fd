"""Measured samples in a CSV file, read once when a scenario is checked."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from replsim.errors import UnitError

__all__ = ["LARGEST_FILE_BYTES", "read_column"]

LARGEST_FILE_BYTES: Final = 64 * 1024 * 1024
"""A sample file beyond this size is refused: thin it out, a distribution does not need so many."""


def read_column(path: Path, column: str | None, where: Mapping[str, str | int]) -> list[float]:
    """The numbers in one column of a CSV file (plain or ``.gz``), in the file's order.

    The file has a header line, unless ``column`` is None and its first line is a number.  ``where`` keeps
    the rows whose named columns hold exactly the given text.  Raises `UnitError` with the line at fault.
    """
    if not path.is_file():
        raise UnitError(f"there is no file {str(path)!r} (paths are relative to the scenario's folder)")
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise UnitError(f"{str(path)!r} is larger than {LARGEST_FILE_BYTES} bytes: thin the samples out")
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if not rows:
        raise UnitError(f"{str(path)!r} is empty")
    if column is None and not where and _is_number(rows[0][0]):
        return [_number(row[0], path, line) for line, row in enumerate(rows, 1) if row]
    header = rows[0]
    wanted = header[0] if column is None else column
    for name in (wanted, *where):
        if name not in header:
            raise UnitError(f"{str(path)!r} has no column {name!r}; its columns are {', '.join(header)}")
    at = header.index(wanted)
    tests = [(header.index(name), str(text)) for name, text in where.items()]
    values = [
        _number(row[at], path, line)
        for line, row in enumerate(rows[1:], 2)
        if row and all(row[i] == text for i, text in tests)
    ]
    if not values:
        raise UnitError(f"{str(path)!r} has no row where {dict(where)}")
    return values


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(text: str, path: Path, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UnitError(f"{path}:{line}: {text!r} is not a number") from None
    if not 0 <= value < float("inf"):
        raise UnitError(f"{path}:{line}: {text} is not a finite, non-negative number")
    return value
