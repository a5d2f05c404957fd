"""``replsim prove`` and its page: what they list, and how they end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from replsim import front
from replsim.cli import prove as command
from replsim.cli.formats import Format
from replsim.errors import ScenarioError
from replsim.proof import SECTIONS, Finding, Section, differential
from replsim.proof.closed_forms import CLOSED_FORMS
from replsim.proof.estimators import Estimate
from replsim.proof.finding import estimated
from replsim.proof.page import written

PAGE = Path(__file__).parents[2] / "docs" / "closed-forms.md"


def told(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    """Let one section of these findings be all that is proved."""

    def every() -> Iterator[Finding]:
        return iter(findings)

    monkeypatch.setattr(command, "SECTIONS", {"sums": Section("Sums", "expected", "found", every)})


GOOD = Finding("sums", "one and one", "2", "2", "exact", True)
BAD = Finding("sums", "two and two", "4", "5", "± 0.5", False)


def test_all_that_holds_is_one_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each finding is a line with a mark, and the last line counts them."""
    told(monkeypatch, GOOD)
    assert command.prove([], output=Format.table)
    out = capsys.readouterr().out
    assert re.search(r"✓ one and one +2 +2 +exact", out)
    assert "1 of 1 hold" in out


def test_a_miss_is_named_and_is_no_success(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One finding that does not hold makes the whole fail, and is told again at the end."""
    told(monkeypatch, GOOD, BAD)
    assert not command.prove([], output=Format.table)
    assert "✗ sums: two and two: 4, found 5 ± 0.5" in capsys.readouterr().out
    assert not command.prove(["sums"], output=Format.json)
    assert [each["held"] for each in json.loads(capsys.readouterr().out)] == [True, False]


def test_an_unknown_section_is_refused_with_those_that_there_are() -> None:
    """`--only` names the sections."""
    with pytest.raises(ScenarioError, match="theory, pbs, differential, measured"):
        command.prove(["practice"], output=Format.table)
    assert list(SECTIONS) == ["theory", "pbs", "differential", "measured"]


@pytest.mark.parametrize(
    ("value", "error", "held"),
    [(1.003, 0.001, True), (1.005, 0.001, False), (1.0, 0.006, False), (1.019, 0.0049, True)],
)
def test_an_estimate_holds_if_it_is_near_and_known_well(value: float, error: float, held: bool) -> None:
    """Off by at most four standard errors, and those at most half a percent: far off or vague is a miss."""
    assert estimated("x", "one", Estimate(1.0, 0.0), Estimate(value, error), "").held is held


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_the_page_lists_each_closed_form(name: str) -> None:
    """Each form stands on the page with its formula, its assumption and its value, and holds there."""
    page = PAGE.read_text(encoding="utf-8")
    line = next((line for line in page.splitlines() if line.startswith(written(CLOSED_FORMS[name]))), "")
    assert line.endswith("| ✓ |"), "run `python -m docs.build --all`, and look at the difference"


def test_the_page_s_paper_table_holds() -> None:
    """Both data sets and the exact case stand on the page, and nothing misses."""
    page = PAGE.read_text(encoding="utf-8")
    for case in ("LNKD-SSD R=1 W=1: t of 99.9%", "LNKD-DISK R=2 W=1: t of 99.9%", "exponential, λ = 0.1: t of 99.9%"):
        assert f"| {case} fresh |" in page
    assert "**✗**" not in page


def test_the_page_s_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """What the page says of other delays works as it stands."""
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert code
    exec(code[1], {})
    assert re.match(r"99% of reads of one replica are fresh [\d.]+ ms", capsys.readouterr().out)


POOL = """
name: pool
duration: 1s
primary: {max_connections: 1000}
standbys: {s1: {}}
links: {p -> s1: {latency: 1ms}}
writers: {app: {rate: 500/s, network: 5ms, connections: CONNECTIONS}}
"""


def test_what_the_stage_engine_gives_up_as_it_runs_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A pool that runs dry shows only in a run: such a scenario is a line that says so, and the others are compared."""
    files = {"narrow": tmp_path / "narrow.yaml", "wide": tmp_path / "wide.yaml"}
    for file, connections in zip(files.values(), ("2", "500"), strict=True):
        file.write_text(POOL.replace("CONNECTIONS", connections), encoding="utf-8")
    monkeypatch.setattr(front, "shipped", lambda: files)
    narrow, wide = differential.findings()
    assert (narrow.found, narrow.held) == ("left out", False)
    assert narrow.known.startswith("writer app runs out of its 2 connections at ")
    assert wide.held
    assert wide.expected == wide.found
