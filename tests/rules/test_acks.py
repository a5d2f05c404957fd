"""The ack rules: scripts that a DBA can read, and a second implementation that is too dumb to be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from replsim.errors import RuleError
from replsim.rules.acks import SyncRule
from tests.rules.datadriven import check, rerun

SCRIPTS = sorted((Path(__file__).parent / "testdata").glob("*.txt"))


def command(name: str, rest: str, lines: list[str]) -> str:
    """Run one command of a script."""
    if name == "parse":
        return "\n".join(map(parsed, lines or [""]))
    rule = SyncRule.parse(rest.removeprefix("rule="))
    if name == "candidates":
        return " ".join(rule.candidates(lines[0].split())) or "none"
    assert name == "released", f"an unknown command: {name}"
    reported = {standby: int(position) for standby, position in (line.split() for line in lines)}
    released = rule.released(reported)
    return "nothing" if released < 0 else str(released)


def parsed(text: str) -> str:
    """What the parser makes of one setting."""
    try:
        rule = SyncRule.parse(text)
    except RuleError as error:
        return f"error: {error}"
    return f"{rule.method} {rule.count} of {' | '.join(rule.names)}" if rule.count else "nobody waits"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_script_comes_out_as_written(script: Path) -> None:
    """Every case of the script gives the output that stands below it."""
    check(script, command)


def test_a_script_with_a_wrong_output_fails() -> None:
    """The reader of scripts puts the true output in place of a wrong one, and keeps comments as they are."""
    script = "# To read.\n\n# A case.\nreleased rule=ANY 1 (s1)\ns1 7\n----\n{}\n\nparse\n----\nnobody waits\n"
    assert rerun(script.format("8"), command) == script.format("7")


def dumb(method: str, count: int, names: tuple[str, ...], reported: Mapping[str, int]) -> int:
    """The rule by trying every position, the highest first: is it released?"""
    best: list[str] = []  # candidates, the best priority first: go through the list and take whoever matches
    for name in names:
        best += [s for s in reported if s not in best and (name == "*" or name.upper() == s.upper())]
    for position in range(max(reported.values(), default=0), -1, -1):
        has_it = [standby for standby in best if reported[standby] >= position]
        if method == "ANY" and len(has_it) >= count:
            return position
        if method == "FIRST" and len(best) >= count and all(standby in has_it for standby in best[:count]):
            return position
    return -1


@pytest.mark.parametrize("method", ["FIRST", "ANY"])
def test_the_rule_agrees_with_its_dumb_twin(method: str) -> None:
    """On 5,000 random cases the rule releases the very position that trying each one gives."""
    draw = np.random.Generator(np.random.PCG64([len(method), 2026]))
    everybody = np.array(["s1", "s2", "s3", "s4", "s5"])
    answers = set()
    for _ in range(5_000):
        names = tuple(draw.choice(np.append(everybody, ["*", "S1", "elsewhere"]), draw.integers(1, 6), replace=False))
        connected = draw.choice(everybody, draw.integers(0, 6), replace=False)
        reported = {str(standby): int(draw.integers(0, 8)) for standby in connected}
        count = int(draw.integers(1, 5))
        rule = SyncRule.parse(f"{method} {count} ({', '.join(names)})")
        released = rule.released(reported)
        assert released == dumb(method, count, names, reported), (rule, reported)
        answers.add(released)
    assert answers == set(range(-1, 8)), "the cases should meet every answer"


def test_more_progress_never_releases_less() -> None:
    """A standby that reports more never takes back what was released: 2,000 random steps forward."""
    draw = np.random.Generator(np.random.PCG64(7))
    for _ in range(2_000):
        method = ("FIRST", "ANY")[draw.integers(2)]
        rule = SyncRule.parse(f"{method} {draw.integers(1, 4)} (s1, s2, s3)")
        reported = {standby: int(draw.integers(0, 50)) for standby in ("s1", "s2", "s3")}
        later = {standby: position + int(draw.integers(0, 9)) for standby, position in reported.items()}
        assert rule.released(later) >= rule.released(reported)


def test_a_rule_reads_back_what_it_prints() -> None:
    """The text of a rule of plain names parses to the same rule."""
    for text in ("", "ANY 2 (s1, s2, s3)", "FIRST 1 (*)", "FIRST 2 (s2, *)"):
        rule = SyncRule.parse(text)
        assert SyncRule.parse(str(rule)) == rule


@pytest.mark.parametrize(
    "text", ["", "ANY 1 (s1, s2)", "FIRST 2 (s1, *)", 'FIRST 1 ("my-standby", "say ""hi""")', 'ANY 1 ("any", s$1)']
)
def test_a_rule_reads_back_as_it_is_written(text: str) -> None:
    """The text of a rule is in the grammar, names in quotes where they need them."""
    assert str(SyncRule.parse(text)) == text
