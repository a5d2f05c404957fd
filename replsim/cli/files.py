"""What the command line writes: whole or not at all."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replsim.errors import MissingExtra, Problem, ScenarioError

if TYPE_CHECKING:
    from replsim.record import Table
    from replsim.result import Result

__all__ = [
    "new_folder",
    "refuse_to_replace",
    "sample_files",
    "write_result",
    "write_starter",
    "write_table",
    "write_text",
]


def refuse_to_replace(path: Path, *, force: bool) -> None:
    """Raise `ScenarioError` where ``path`` is there already, unless the user said ``--force``."""
    empty = path.is_dir() and not any(path.iterdir())
    if path.exists() and not empty and not force:
        raise ScenarioError([Problem((), "is there already; --force replaces it", file=str(path))])


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A fresh folder to write in, which becomes ``path`` when all went well and vanishes when not."""
    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Named before it is made: an interrupt between the two leaves nothing that nobody knows of.
    partial = path.with_name(f".{path.name}-{secrets.token_hex(6)}")
    old = partial.with_name(f"{partial.name}-replaced")
    try:
        partial.mkdir()
        yield partial
        if path.exists():
            path.replace(old)
        partial.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def write_result(result: Result, folder: Path, *, samples: Path) -> None:
    """The files of one result: its scenario, where it comes from, its metrics, its commits and its reads.

    ``samples`` is the folder in which the scenario's own sample files lie; they go along, so that it runs again.
    """
    import json

    from replsim.streamed import StreamedResult

    folder.mkdir(exist_ok=True)
    for name in sample_files(result.scenario.model_dump(mode="json")):
        if not (Path(name).is_absolute() or ".." in Path(name).parts):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(samples / name, folder / name)
    (folder / "scenario.yaml").write_text(result.provenance.scenario, encoding="utf-8")
    (folder / "metrics.json").write_text(result.to_json() + "\n", encoding="utf-8")
    provenance = json.dumps(result.provenance.to_dict(), indent=2, ensure_ascii=False)
    (folder / "provenance.json").write_text(provenance + "\n", encoding="utf-8")
    if not isinstance(result, StreamedResult):
        write_table(result.commits, folder / "commits")
        write_table(result.reads, folder / "reads")


def sample_files(part: Any) -> list[str]:
    """The sample files that a scenario, as plain data, reads; each once.

    >>> sample_files({"flush": {"empirical": {"file": "fsync.csv", "unit": "us"}}, "name": "x"})
    ['fsync.csv']
    """
    if isinstance(part, list):
        return list(dict.fromkeys(name for inner in part for name in sample_files(inner)))
    if not isinstance(part, dict):
        return []
    own = [part[law]["file"] for law in ("empirical", "replayed") if part.get(law) and part[law].get("file")]
    return list(dict.fromkeys([*own, *sample_files(list(part.values()))]))


def write_table(table: Table, stem: Path) -> Path:
    """A table as parquet, or as CSV where pyarrow is not installed; gives the file."""
    try:
        table.to_parquet(file := stem.with_name(stem.name + ".parquet"))
    except MissingExtra:
        table.to_csv(file := stem.with_name(stem.name + ".csv"))
    return file


def write_starter(file: Path, *, force: bool) -> None:
    """Write the commented starter scenario."""
    from replsim.scenario.starter import starter

    refuse_to_replace(file, force=force)
    write_text(file, starter())


def write_text(file: Path, text: str) -> None:
    """Write a file, whole or not at all; its folder is made if need be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(file.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
