"""What a page gives away as files: the scenario that makes it again, its figures, its data."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dashboard.links import Setup
from replsim import front, plots
from replsim.cli.files import sample_files
from replsim.record import Table
from replsim.result import Result
from replsim.scenario import Scenario
from replsim.scenario import yaml as writer

__all__ = ["csv_zip", "figures_html", "figures_zip", "parquet_zip", "scenario_file"]


def scenario_file(setup: Setup, scenario: Scenario) -> tuple[str, bytes]:
    """The name and the bytes of a file that ``replsim run`` takes: YAML, or a zip where sample files belong to it."""
    text = writer.dumps(scenario).encode()
    named = sample_files(scenario.model_dump(mode="json"))
    if not named:
        return f"{scenario.name}.yaml", text
    folder = front.shipped()[setup.base].parent
    files = {f"{scenario.name}.yaml": text} | {name: (folder / name).read_bytes() for name in named}
    return f"{scenario.name}.zip", _zipped(files)


def figures_html(results: Sequence[Result]) -> bytes:
    """Every figure of a result on one page that needs no network: plotly.js is in it once."""
    parts = ["<!doctype html><meta charset='utf-8'><title>replsim</title>"]
    for place, (name, figure) in enumerate(plots.every_figure(results).items()):
        parts.append(figure.to_html(full_html=False, include_plotlyjs=place == 0, div_id=name))
    return "\n".join(parts).encode()


def figures_zip(results: Sequence[Result], form: str) -> bytes:
    """Every figure as an image (``svg`` or ``png``).  Raises `MissingExtra` without a browser to draw them."""
    with tempfile.TemporaryDirectory() as folder:
        files = plots.save(results, folder, formats=(form,))
        return _zipped({file.name: file.read_bytes() for file in files})


def csv_zip(results: Sequence[Result]) -> bytes:
    """Commits, reads and metrics as CSV."""
    return _tables(results, "csv", lambda table: table.to_pandas().to_csv(index=False).encode())


def parquet_zip(results: Sequence[Result]) -> bytes:
    """Commits and reads as Parquet, and metrics as CSV."""

    def parquet(table: Table) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            table.to_parquet(file := Path(folder, "table.parquet"))
            return file.read_bytes()

    return _tables(results, "parquet", parquet)


def _tables(results: Sequence[Result], ending: str, write: Callable[[Table], bytes]) -> bytes:
    files: dict[str, bytes] = {}
    for result in results:
        folder = f"seed-{result.seed}/" if len(results) > 1 else ""
        files[f"{folder}commits.{ending}"] = write(result.commits)
        files[f"{folder}reads.{ending}"] = write(result.reads)
        lines = ["metric,value", *(f"{name},{value!r}" for name, value in result.metrics.items())]
        files[f"{folder}metrics.csv"] = "\n".join([*lines, ""]).encode()
    return _zipped(files)


def _zipped(files: Mapping[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()
