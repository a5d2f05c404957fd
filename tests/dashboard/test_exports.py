"""What a page gives away: a scenario that runs to the same result, figures and data."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from pathlib import Path

import pyarrow.parquet
import pytest

import replsim
from dashboard.exports import csv_zip, figures_html, figures_zip, parquet_zip, scenario_file
from dashboard.links import Setup
from dashboard.sources import scenario_of
from replsim import plots
from replsim.plots.export import BROWSERS
from replsim.result import Result

SETUP = Setup("quickstart/three-nodes").changed({"duration": "3s", "writers.app.rate": "500/s", "seed": "5"})


@pytest.fixture(scope="module")
def result() -> Result:
    """A short run of three nodes."""
    return replsim.run(scenario_of(SETUP))


def test_the_scenario_runs_to_the_same_result(result: Result, tmp_path: Path) -> None:
    """The file is the page's state, changes and all: its run has the same hash."""
    name, data = scenario_file(SETUP, scenario_of(SETUP))
    (tmp_path / name).write_bytes(data)
    again = replsim.run(tmp_path / name)
    assert again.scenario == result.scenario
    assert again.provenance.hash == result.provenance.hash


def test_a_scenario_with_samples_brings_them(tmp_path: Path) -> None:
    """Where a scenario reads measured samples, the download is a zip that has them, and it runs."""
    setup = Setup("validation/q_c8_d2-10_any1_on").changed({"duration": "2s"})
    scenario = scenario_of(setup)
    name, data = scenario_file(setup, scenario)
    assert name.endswith(".zip")
    zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path)
    again = replsim.run(tmp_path / f"{scenario.name}.yaml")
    assert again.provenance.hash == replsim.run(scenario).provenance.hash


def test_the_figures_stand_alone(result: Result) -> None:
    """One page holds every figure and, once, the library that draws them; it loads nothing from elsewhere."""
    page = figures_html([result]).decode()
    assert page.count("plotly.js v") == 1
    assert page.count('class="plotly-graph-div"') >= 6
    assert "<script src=" not in page


@pytest.mark.parametrize(("form", "begins"), [("svg", b"<svg"), ("png", b"\x89PNG\r\n\x1a\n")], ids=("svg", "png"))
def test_the_figures_are_images(result: Result, form: str, begins: bytes) -> None:
    """Each figure is an image that a browser drew, of its kind and with something in it."""
    if not any(map(shutil.which, BROWSERS)):
        pytest.skip("there is no Chromium or Chrome: apt-get install chromium fonts-liberation")
    with zipfile.ZipFile(io.BytesIO(figures_zip([result], form))) as archive:
        images = {name: archive.read(name) for name in archive.namelist()}
    assert set(images) == {f"{name}.{form}" for name in plots.every_figure([result])}
    for image in images.values():
        assert image.startswith(begins)
        assert len(image) > 5_000


def test_data_are_what_the_result_holds(result: Result) -> None:
    """CSV and Parquet have a row for each commit and each read, and every metric."""
    with zipfile.ZipFile(io.BytesIO(csv_zip([result]))) as archive:
        rows = list(csv.reader(archive.read("commits.csv").decode().splitlines()))
        metrics = dict(csv.reader(archive.read("metrics.csv").decode().splitlines()[1:]))
    assert len(rows) == len(result.commits) + 1
    assert float(metrics["commit_latency.p50"]) == result.metrics["commit_latency.p50"]
    with zipfile.ZipFile(io.BytesIO(parquet_zip([result, result]))) as archive:
        table = pyarrow.parquet.read_table(io.BytesIO(archive.read(f"seed-{result.seed}/reads.parquet")))
    assert table.num_rows == len(result.reads)
