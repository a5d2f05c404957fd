"""``replsim calibrate`` and ``replsim observe``: from a live cluster to a scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from replsim import front
from replsim.calibrate.observed import observed
from replsim.calibrate.scenario import Calibration, calibrated
from replsim.calibrate.sources import gathered
from replsim.calibrate.written import written
from replsim.cli.files import new_folder, refuse_to_replace
from replsim.cli.progress import following
from replsim.errors import Problem, ScenarioError, UnitError
from replsim.units import SECOND, parse_duration

__all__ = ["calibrate", "observe"]


def calibrate(
    folder: Path | None,
    *,
    name: str,
    logs: Sequence[Path],
    replication: Path | None,
    pings: Sequence[str],
    fsyncs: Sequence[str],
    settings: Path | None,
    out: Path,
    force: bool,
) -> None:
    """Build a scenario from what was measured, write it (and its sample files) and say how well it is known."""
    refuse_to_replace(out, force=force)
    sources = gathered(
        folder,
        name=name,
        logs=logs,
        replication=replication,
        pings=_by_node(pings, "--ping"),
        fsyncs=_by_node(fsyncs, "--fsync"),
        settings=settings,
    )
    found = calibrated(sources)
    _write(found, out)
    front.load(out)
    for part in found.parts:
        typer.echo(f"{part.path}: {part.told}")
    for part in found.unknown:
        typer.echo(f"NOT IDENTIFIED {part.path}: {part.told}")
    typer.echo(f"Wrote {out}. Next: replsim check {out}, then replsim run {out}")


def observe(dsn: str, *, seconds: str, every: str, out: Path, force: bool) -> None:
    """Sample a live primary for a while, and write what ``replsim calibrate`` reads."""
    length, pause = (_seconds(text, option) for text, option in ((seconds, "--for"), (every, "--every")))
    refuse_to_replace(out, force=force)
    with new_folder(out) as folder, following("observing") as progress:
        rows = observed(dsn, folder, seconds=length, every=pause, progress=progress)
    typer.echo(f"Wrote {rows} rows of samples and the settings to {out}. Next: replsim calibrate {out}")


def _write(found: Calibration, out: Path) -> None:
    """The scenario and its samples, each file whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    texts = {
        out.with_name(name): "us\n" + "".join(f"{us:.6g}\n" for us in values) for name, values in found.samples.items()
    }
    for file, text in {**texts, out: written(found)}.items():
        partial = file.with_name(file.name + ".partial")
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)


def _by_node(given: Sequence[str], option: str) -> Mapping[str, Path]:
    found = {}
    for each in given:
        node, equals, file = each.partition("=")
        if not (node and equals and file):
            raise ScenarioError([Problem((), f"{option} takes NODE=FILE, such as s1=ping.txt, not {each!r}")])
        found[node] = Path(file)
    return found


def _seconds(text: str, option: str) -> float:
    try:
        return parse_duration(text) / SECOND
    except UnitError as error:
        raise UnitError(f"{option}: {error}") from None
