"""A report is one page that stands alone and holds every figure with its reading."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest
from typer.testing import CliRunner

import replsim
from replsim import plots
from replsim.cli.app import app
from replsim.export import report
from tests.plots.clockwork import clockwork


@pytest.fixture(scope="module")
def page() -> str:
    """The clockwork's page."""
    return report(clockwork())


def test_a_report_has_every_figure_and_its_reading(page: str) -> None:
    """Each figure that the result has is there under its title, after the sentence that reads it."""
    result = clockwork()
    figures = plots.every_figure(result)
    assert len(figures) == 9
    for name, figure in figures.items():
        (section,) = re.findall(rf'<section id="{name}">(.*?)</section>', page, re.DOTALL)
        assert unescape(section).startswith(f"<h2>{figure.layout.title.text}</h2>")
        assert plots.reading(name, result) in unescape(section)
        assert section.count("Plotly.newPlot") == 1


def test_a_report_stands_alone(page: str) -> None:
    """The library is in the page once, and nothing is loaded from anywhere else."""
    assert page.count("plotly.js v") == 1
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL))
    assert len(page) < 6_000_000


def test_a_report_can_be_made_again(page: str) -> None:
    """The scenario in the page, read again, is the scenario that was run; and its seed is named."""
    (text,) = re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)
    assert replsim.loads(unescape(text)) == clockwork().scenario
    assert "seed 1, engine stages" in page
    assert clockwork().provenance.hash[:16] in page


def test_names_cannot_write_html() -> None:
    """What a scenario says is text in the page, never markup."""
    result = clockwork(name="<script>alert(1)</script>", question="<img src=x>")
    page = report(result)
    assert "<script>alert(1)" not in page
    assert "<img src=x>" not in page


def test_several_seeds_make_one_report_with_bands() -> None:
    """With several results the page names their seeds, and its lines are medians."""
    scenario = replsim.load("three-nodes").changed(duration="2s", warmup="0s")
    page = report([replsim.run(scenario, seed=seed) for seed in (7, 8)], theme="dark")
    assert "seeds 7, 8, engine stages" in page
    assert "Lag: median and range over 2 seeds" in page
    assert "background: #0E1117" in page


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    """`replsim report` runs a scenario and writes its page; a file that is there is not replaced unless told so."""
    out = tmp_path / "deep" / "r.html"
    arguments = [
        "report",
        "three-nodes",
        "--out",
        str(out),
        "--set",
        "duration=1s",
        "--set",
        "warmup=0s",
        "--seeds",
        "2",
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "Wrote " in done.output
    assert "seeds 42, 43" in out.read_text(encoding="utf-8")
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 2
    assert "--force replaces it" in again.output
    assert CliRunner().invoke(app, [*arguments, "--force"]).exit_code == 0
    assert [file.name for file in out.parent.iterdir()] == ["r.html"]


def test_a_mistake_writes_nothing(tmp_path: Path) -> None:
    """A report of a scenario that is not there ends with its message, and leaves no file."""
    done = CliRunner().invoke(app, ["report", "four-nodes", "--out", str(tmp_path / "r.html")])
    assert done.exit_code == 2
    assert "did you mean" in done.output
    assert not list(tmp_path.iterdir())


def test_figures_are_plain_json(page: str) -> None:
    """The data of each figure in the page can be read as JSON: no NaN, no infinity."""
    for name, figure in plots.every_figure(clockwork()).items():
        json.loads(figure.to_json(), parse_constant=lambda constant, name=name: pytest.fail(f"{name} has {constant}"))
