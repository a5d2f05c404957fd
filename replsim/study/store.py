"""Finished runs, kept by what they are: a run is found again by its scenario, seed, engine and code, whoever asks.

One SQLite file in write-ahead mode: a run is written whole or not at all, as soon as it has come; a crash of the
program loses none that was written, others can look while it is filled, and a run takes neither a file nor memory.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from replsim.errors import StudyError
from replsim.study.parcel import Parcel, code_version
from replsim.study.runs import Outcome, Run

__all__ = ["Store", "default_path", "key"]

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS runs (
    key BLOB PRIMARY KEY, scenario TEXT, seed TEXT, engine TEXT, version TEXT, seconds REAL, moving TEXT, metrics TEXT
) WITHOUT ROWID
"""


def default_path() -> Path:
    """Where the command line keeps runs: ``$REPLSIM_STORE``, or in the user's cache."""
    if told := os.environ.get("REPLSIM_STORE"):
        return Path(told)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "replsim" / "runs.sqlite"


def key(parcel: Parcel, seed: int, engine: str) -> bytes:
    """What a run is known by: a hash of its scenario, its seed, its engine and the code that computes it."""
    return hashlib.sha256(parcel.identity + f"\0{seed}\0{engine}\0{code_version()}".encode()).digest()


class Store:
    """Finished runs in a file; closed at the end of its ``with``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            # Commits survive this program's death, if not the machine's; neither can tear the file.
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise StudyError(f"{path} cannot hold finished runs: {error}") from None

    def find(self, run: Run) -> Outcome | None:
        """The outcome of a run that was done before, if all of its metrics were asked for then."""
        row = self._row(key(run.parcel, run.seed, run.engine))
        if row is None:
            return None
        engine, seconds, still, known = row
        if not known.keys() >= set(run.metrics):
            return None
        values = tuple(known[name] for name in run.metrics)
        return Outcome(run.setting, run.nth, values, tuple(still), engine, seconds, code_version())

    def add(self, run: Run, outcome: Outcome) -> None:
        """Keep a finished run; metrics that were asked for earlier stay beside its own."""
        name = key(run.parcel, run.seed, run.engine)
        before = self._row(name)
        still, known = (set(before[2]), before[3]) if before else (set(), {})
        known |= dict(zip(run.metrics, outcome.values, strict=True))
        told = json.loads(run.parcel.text)["name"]
        self._database.execute(
            "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                name,
                told,
                str(run.seed),
                outcome.engine,
                outcome.version,
                outcome.seconds,
                json.dumps(sorted(still | set(outcome.moving))),
                json.dumps(known),
            ),
        )

    def __len__(self) -> int:
        """How many runs there are."""
        ((count,),) = self._database.execute("SELECT count(*) FROM runs").fetchall()
        return int(count)

    def _row(self, name: bytes) -> tuple[str, float, list[str], dict[str, float]] | None:
        query = "SELECT engine, seconds, moving, metrics FROM runs WHERE key = ?"
        for engine, seconds, still, known in self._database.execute(query, (name,)).fetchall():
            return engine, math.nan if seconds is None else seconds, json.loads(still), json.loads(known)
        return None

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
