"""Where PostgreSQL's programs are on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from replsim.errors import MissingExtra

__all__ = ["PLACES", "Binaries"]

NEEDED: Final = ("initdb", "postgres", "pg_basebackup", "pg_waldump")
"""What a run starts.  Distributions often put only clients on the PATH, so all of them must be in one folder."""

PLACES: Final = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/usr/local/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
"""Where packages put them: Debian and Ubuntu, Red Hat, the source's own `make install`, Homebrew, Postgres.app."""

OLDEST: Final = 13
"""The oldest version that takes every setting which a run makes (``wal_keep_size`` came with 13)."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with the programs of one version of PostgreSQL."""

    folder: Path
    version: str
    """As ``postgres --version`` has it, such as ``15.18``."""

    @classmethod
    def find(cls, path: str | None = None, places: Sequence[str] = PLACES) -> Self:
        """The programs on the PATH (or on ``path``), else the newest of the usual ``places``.

        Raises `MissingExtra`, which names what was looked for, where, and how to install it.
        """
        path = os.environ.get("PATH", "") if path is None else path
        on_path = list(_with_all(_folders_on(path)))
        elsewhere = [folder for place in places for folder in _with_all(_matching(place))]
        found = [cls(folder, _version(folder)) for folder in (on_path or elsewhere)]
        fit = [binaries for binaries in found if binaries.major >= OLDEST]
        if fit:
            return fit[0] if on_path else max(fit, key=lambda binaries: binaries.major)
        if found:
            raise MissingExtra(
                f"PostgreSQL {found[0].version} in {found[0].folder} is too old: install {OLDEST} or newer"
            )
        raise MissingExtra(
            f"PostgreSQL's programs ({', '.join(NEEDED)}) are neither on the PATH nor in {', '.join(places)}: "
            "install the server, on Debian or Ubuntu with: apt-get install postgresql"
        )

    @property
    def major(self) -> int:
        """The major version, such as 15."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    def __getitem__(self, program: str) -> str:
        """The full path of a program."""
        return str(self.folder / program)


def _folders_on(path: str) -> Iterator[Path]:
    """The real folders of each ``initdb`` on a search path: what is there may be a link."""
    for folder in path.split(os.pathsep):
        program = shutil.which("initdb", path=folder) if folder else None
        if program:
            yield Path(program).resolve().parent


def _matching(place: str) -> list[Path]:
    """The folders that a pattern from the root stands for."""
    root = Path(place).anchor
    return sorted(Path(root).glob(str(Path(place).relative_to(root))))


def _with_all(folders: Iterable[Path]) -> Iterator[Path]:
    return (folder for folder in folders if all(os.access(folder / program, os.X_OK) for program in NEEDED))


def _version(folder: Path) -> str:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\d[\w.]*", said)
    return match.group() if match else "0"
