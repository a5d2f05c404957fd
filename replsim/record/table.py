"""A table of equally long columns, and its ways out to pandas, arrow and parquet (extra ``frames``)."""

from __future__ import annotations

import contextlib
import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from numpy.typing import NDArray

from replsim.errors import MissingExtra
from replsim.units import NEVER

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Table"]


class Table(Mapping[str, NDArray[Any]]):
    """Columns by name.  ``times`` names those that hold nanoseconds (where `NEVER` is 'it did not happen'),
    ``words`` maps a column of codes to the words they stand for; exports translate both.

    A column may be given as a function that makes it, when it is first asked for."""

    def __init__(
        self,
        columns: Mapping[str, NDArray[Any] | Callable[[], NDArray[Any]]],
        *,
        times: tuple[str, ...] = (),
        words: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._columns = dict(columns)
        self.times = times
        self.words = dict(words or {})
        assert len({len(column) for column in self._columns.values() if isinstance(column, np.ndarray)}) <= 1, (
            "columns differ in length"
        )

    def __getitem__(self, name: str) -> NDArray[Any]:
        column = self._columns[name]
        if not isinstance(column, np.ndarray):
            self._columns[name] = column = column()
            assert len(column) == len(self), "columns differ in length"
        return column

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        """The number of rows."""
        return next((len(column) for column in self._columns.values() if isinstance(column, np.ndarray)), 0)

    def where(self, rows: NDArray[Any]) -> Table:
        """The rows that a mask or an index chooses."""
        return Table({name: column[rows] for name, column in self.items()}, times=self.times, words=self.words)

    def to_pandas(self) -> pd.DataFrame:
        """A pandas frame: times as seconds (NaN for what did not happen), codes as words."""
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtra("pandas is not installed: pip install 'replsim[frames]'") from error
        frame: dict[str, Any] = {}
        for name, column in self.items():
            if name in self.words:
                frame[name] = pd.Categorical.from_codes(column, pd.Index(list(self.words[name])))
            elif name in self.times:
                frame[name] = np.where(column == NEVER, np.nan, column / 1e9)
            else:
                frame[name] = column
        return pd.DataFrame(frame)

    def to_arrow(self) -> pa.Table:
        """An arrow table, exact: times as integer nanoseconds with null for what did not happen."""
        try:
            import pyarrow as pa
        except ImportError as error:
            raise MissingExtra("pyarrow is not installed: pip install 'replsim[frames]'") from error
        arrays = {}
        for name, column in self.items():
            if name in self.words:
                arrays[name] = pa.DictionaryArray.from_arrays(pa.array(column), pa.array(list(self.words[name])))
            elif name in self.times:
                arrays[name] = pa.array(column, mask=column == NEVER)
            else:
                arrays[name] = pa.array(column)
        return pa.table(arrays)

    def to_parquet(self, path: str | Path) -> None:
        """Write a parquet file, whole or not at all."""
        table = self.to_arrow()
        import pyarrow.parquet as pq

        with _whole(Path(path)) as partial:
            pq.write_table(table, partial)

    def to_csv(self, path: str | Path) -> None:
        """Write a CSV file, whole or not at all: what parquet holds, with codes as words, and nothing for null."""
        with _whole(Path(path)) as partial, partial.open("w", newline="", encoding="utf-8") as out:
            self.write_csv(out)

    def write_csv(self, out: TextIO) -> None:
        """Write it as CSV to an open file."""
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self)
        writer.writerows(zip(*self._plain(), strict=True))

    def to_json(self, path: str | Path) -> None:
        """Write a JSON file, whole or not at all: a list with an object a row, null for what is not a number."""
        rows = [dict(zip(self, row, strict=True)) for row in zip(*self._plain(), strict=True)]
        with _whole(Path(path)) as partial:
            partial.write_text(json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")

    def _plain(self) -> Iterator[list[Any]]:
        """Each column as Python has it: codes as words, None for what did not happen or is not finite."""
        for name, column in self.items():
            if name in self.words:
                yield [self.words[name][code] for code in column.tolist()]
            elif name in self.times:
                yield [None if value == NEVER else value for value in column.tolist()]
            elif column.dtype.kind == "f":
                yield [value if math.isfinite(value) else None for value in column.tolist()]
            else:
                yield column.tolist()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<Table of {len(self)} rows: {', '.join(self)}>"


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file to write in, which becomes ``path`` when all went well and vanishes when not."""
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
