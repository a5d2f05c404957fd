"""Tidy tables of a study, written as Parquet, CSV or JSON by the file's ending."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from replsim.errors import StudyError
from replsim.record import Table

__all__ = ["save", "text_column"]


def text_column(texts: Sequence[str]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Texts as codes and the words that they stand for, in the order in which they first come."""
    words = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    return np.array([words[text] for text in texts], dtype=np.int32), tuple(words)


def save(table: Table, path: str | Path) -> None:
    """Write a table, whole or not at all; the ending says how.  Raises `StudyError` for another ending."""
    path = Path(path)
    ways = {".parquet": table.to_parquet, ".csv": table.to_csv, ".json": table.to_json}
    if path.suffix not in ways:
        raise StudyError(f"{path}: a table is written as {', '.join(ways)}; give the file one of these endings")
    ways[path.suffix](path)
