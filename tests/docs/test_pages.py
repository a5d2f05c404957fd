"""The pages that are made from the code say what the code says, and the README's output is real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import replsim
from docs import build
from replsim.cli.files import write_starter

ROOT = build.ROOT
WRITTEN = [path for path in sorted(ROOT.rglob("*.md")) if ".venv" not in path.parts]
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


@pytest.mark.parametrize("page", build.pages(), ids=lambda page: page.name)
def test_a_page_made_from_the_code_is_current(page: Path) -> None:
    """What is committed is what the code gives now; `make docs` writes it."""
    assert page.read_text(encoding="utf-8") == build.pages()[page], "run `make docs`, and look at the difference"


def test_what_the_tutorial_prints_is_what_its_code_prints() -> None:
    """Every output in a page whose Python is run is what that Python prints now; `make docs` writes it."""
    for path, text in build.run_pages().items():
        assert path.read_text(encoding="utf-8") == text, "run `make docs`, and look at the difference"
        assert text.count("```text\n") > 5


@pytest.mark.slow
def test_the_page_of_measured_runs_is_current() -> None:
    """What it says is what the runs give now."""
    page = ROOT / "docs/validation.md"
    assert page.read_text(encoding="utf-8") == build.costly()[page](), "run `python -m docs.build --all`, and look"


def test_the_readme_shows_a_real_output() -> None:
    """The output in the README is what the command prints now; `make docs` writes it."""
    text = build.README.read_text(encoding="utf-8")
    assert text == build.readme(text), "run `make docs`, and look at the difference"
    assert "commit latency" in text


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that is there."""
    broken = [
        link
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if link != "NNNN" and not (page.parent / link).exists()
    ]
    assert not broken


def test_every_decision_is_in_the_index() -> None:
    """The index lists each numbered record once, and no number is given twice."""
    folder = ROOT / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert listed == records
    assert len({name[:4] for name in records}) == len(records)


def test_the_readme_s_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notebook example works as printed, on the scenario that `replsim new` writes."""
    (code,) = re.findall(r"```python\n(.*?)```", build.README.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    write_starter(tmp_path / "mine.yaml", force=False)
    names: dict[str, object] = {}
    exec(code, names)
    result = names["result"]
    assert isinstance(result, replsim.Result)
    assert result.seed == 7
    assert f"result = replsim.run(scenario, seed={result.seed})" in code
