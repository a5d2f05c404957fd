"""Tidy tables of a study, written as Parquet, CSV or JSON by the file's ending."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.errors import StudyError
from replsim.record import Table

__all__ = ["check_ending", "csv_text", "save", "text_column"]


def text_column(texts: Sequence[str]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Texts as codes and the words that they stand for, in the order in which they first come."""
    words = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    return np.array([words[text] for text in texts], dtype=np.int32), tuple(words)


def csv_text(table: Table) -> str:
    """A table as CSV."""
    text = io.StringIO()
    table.write_csv(text)
    return text.getvalue()


_WAYS: Final = {".parquet": Table.to_parquet, ".csv": Table.to_csv, ".json": Table.to_json}


def check_ending(path: str | Path) -> None:
    """Raise `StudyError` where a file's ending does not say how a table is written."""
    if Path(path).suffix not in _WAYS:
        raise StudyError(f"{path}: a table is written as {', '.join(_WAYS)}; give the file one of these endings")


def save(table: Table, path: str | Path) -> None:
    """Write a table, whole or not at all; the ending says how.  Raises `StudyError` for another ending."""
    check_ending(path)
    _WAYS[Path(path).suffix](table, path)
