"""What PostgreSQL does, sentence by sentence, as scripts that run through the whole engine.

Each case of a script is a small cluster and what becomes of its commits.  The expected times were derived by hand
from the rules, before the engine was asked: the comments show the sums.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from replsim.engines.events import run
from tests.behaviour import compact, tables
from tests.rules.datadriven import check, rerun

SCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


def command(name: str, rest: str, lines: list[str]) -> str:
    """Run one command of a script: simulate the lines, and show what it asks for."""
    record = run(compact.scenario(lines), compact.SEED)
    if name == "commits":
        return tables.commits(record, rest.split())
    if name == "steps":
        return tables.steps(record, rest.split())
    if name == "flushes":
        return tables.flushes(record, rest.split())
    if name == "counts":
        return tables.counts(record, rest.split())
    if name == "events":
        return tables.events(record)
    assert name == "replies", f"an unknown command: {name}"
    return tables.replies(record, rest)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_script_comes_out_as_written(script: Path) -> None:
    """Every case of the script gives the times that stand below it."""
    check(script, command)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_case_cites_its_source(script: Path) -> None:
    """Each case stands below a comment that names the section whose sentence it shows."""
    for block in script.read_text(encoding="utf-8").strip().split("\n\n"):
        comment = [line for line in block.splitlines() if line.startswith("#")]
        if "----" in block.splitlines():
            assert any(re.search(r"§\d", line) for line in comment), block


def test_a_wrong_time_is_found() -> None:
    """A script with one time wrong comes back with the right one."""
    script = (
        "# §1.1\ncommits flushed\nprimary: flush 1ms\napp: commits at 2ms\n----\ncommit  flushed\napp           {}\n"
    )
    assert rerun(script.format(4), command) == script.format(3)
