"""A scenario that travels: as text with its sample files, so that a run needs nothing else wherever it happens."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

from replsim import front
from replsim.errors import StudyError
from replsim.scenario import Scenario

__all__ = ["Parcel", "code_version", "pack", "read", "sample_files"]

_ABOUT: Final = {"name", "question", "finding", "seed", "measured", "expect"}
"""What says something of a scenario and changes nothing in its runs (the seed is told beside it)."""
_UNRELATED: Final = ("cli", "plots", "study", "summary.py")
"""The parts of replsim that have no say in what a run's numbers are."""


@dataclass(frozen=True)
class Parcel:
    """A checked scenario as JSON, and the bytes of the sample files that it reads."""

    text: str
    files: tuple[tuple[str, bytes], ...] = ()

    @cached_property
    def identity(self) -> bytes:
        """A hash of all that a run's numbers depend on, but seed, engine and version."""
        told = {key: value for key, value in json.loads(self.text).items() if key not in _ABOUT}
        hashed = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        for name, content in self.files:
            hashed.update(f"\0{name}\0{len(content)}\0".encode())
            hashed.update(content)
        return hashed.digest()

    def __reduce__(self) -> tuple[type[Parcel], tuple[str, tuple[tuple[str, bytes], ...]]]:
        return Parcel, (self.text, self.files)


def pack(scenario: Scenario, folder: Path) -> Parcel:
    """The parcel of a checked scenario whose sample files lie in ``folder``.

    A file that is named by an absolute path, or outside the folder, stays where it is: a worker has to see it there.
    Raises `StudyError` where a file is not there.
    """
    text = scenario.model_dump_json(exclude_defaults=True)
    files = []
    for name in sample_files(json.loads(text)):
        try:
            content = (folder / name).read_bytes()
        except OSError:
            raise StudyError(
                f"the scenario {scenario.name!r} reads {name!r}, which is not in {folder}: give a study the scenario's "
                "file, not the scenario that was loaded from it"
            ) from None
        if not (Path(name).is_absolute() or ".." in Path(name).parts):
            files.append((name, content))
    return Parcel(text, tuple(files))


@lru_cache(maxsize=32)
def read(parcel: Parcel) -> Scenario:
    """The scenario in a parcel, the same as was packed; of several runs it is read once."""
    if not parcel.files:
        return Scenario.model_validate(json.loads(parcel.text), context={"folder": Path()})
    with tempfile.TemporaryDirectory(prefix="replsim-") as folder:
        for name, content in parcel.files:
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return Scenario.model_validate(json.loads(parcel.text), context={"folder": Path(folder)})


def sample_files(part: Any) -> list[str]:
    """The sample files that a scenario, as plain data, reads; each once.

    >>> sample_files({"flush": {"empirical": {"file": "fsync.csv", "unit": "us"}}, "name": "x"})
    ['fsync.csv']
    """
    if isinstance(part, list):
        return list(dict.fromkeys(name for inner in part for name in sample_files(inner)))
    if not isinstance(part, Mapping):
        return []
    own = [part[law]["file"] for law in ("empirical", "replayed") if part.get(law) and part[law].get("file")]
    return list(dict.fromkeys([*own, *sample_files(list(part.values()))]))


@lru_cache(maxsize=1)
def code_version() -> str:
    """What computes a run's numbers: replsim's version, a hash of the sources that matter, NumPy's and SciPy's."""
    from importlib.metadata import version

    package = Path(front.__file__).parent
    hashed = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        inside = file.relative_to(package)
        if inside.parts[0] not in _UNRELATED:
            hashed.update(f"{inside.as_posix()}\0".encode())
            hashed.update(file.read_bytes())
    return f"{version('replsim')}+{hashed.hexdigest()[:12]} numpy {version('numpy')} scipy {version('scipy')}"
