"""A way to run the command line inside the test's own process, and small scenarios to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from replsim.cli import main

SMALL = """\
name: {name}
question: Is it quick?
finding: It is.
duration: 400ms
warmup: 100ms
primary:
  synchronous_standby_names: ANY 1 (s1, s2)
standbys: {{s1: {{}}, s2: {{}}}}
links:
  p -> s1: {{latency: 1ms}}
  p -> s2: {{latency: 5ms}}
writers:
  app: {{rate: 500/s}}
readers:
  web: {{rate: 200/s}}
expect:
  - {expect}
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Replsim = Callable[..., Ended]


@pytest.fixture
def replsim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Replsim:
    """Run ``replsim`` with the given arguments."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments: str | Path) -> Ended:
        words: Sequence[str] = [str(argument) for argument in arguments]
        with pytest.raises(SystemExit) as end:
            main(words)
        said = capsys.readouterr()
        return Ended(end.value.code if isinstance(end.value.code, int) else 0, said.out, said.err)

    return run


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A scenario that runs in a blink and holds what it expects."""
    return write(tmp_path / "small.yaml")


def write(file: Path, *, name: str = "small", expect: str = "commit_latency.p99 < 1s") -> Path:
    """Write the small scenario with another name or another expectation."""
    file.write_text(SMALL.format(name=name, expect=expect), encoding="utf-8")
    return file
