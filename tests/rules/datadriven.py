"""Tests as text: a command, its input, ``----``, and what comes out.

::

    # A comment, or a sentence for the reader.
    released rule=ANY 1 (s1, s2)
    s1 100
    s2 80
    ----
    100

Cases are separated by blank lines.  `rerun` gives the whole file back with each output as it now is, so that a
failing test shows the difference, and ``REWRITE=1 pytest`` writes it: look at the difference before it is kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["check", "rerun"]

Run = Callable[[str, str, list[str]], str]
"""Takes a command, the rest of its line and the lines of its input, and gives the output."""


def check(path: Path, run: Run) -> None:
    """Assert that every case of the file still comes out as written there (or write it anew)."""
    text = path.read_text(encoding="utf-8")
    now = rerun(text, run)
    if os.environ.get("REWRITE"):
        path.write_text(now, encoding="utf-8")
    else:
        assert now == text


def rerun(text: str, run: Run) -> str:
    """The text of a file of cases with each expected output replaced by the one that ``run`` gives."""
    return "\n\n".join(_rerun_block(block, run) for block in text.strip().split("\n\n")) + "\n"


def _rerun_block(block: str, run: Run) -> str:
    lines = block.splitlines()
    start = next((at for at, line in enumerate(lines) if not line.startswith("#")), None)
    if start is None:  # a paragraph for the reader
        return block
    assert "----" in lines, f"a case without '----':\n{block}"
    end = lines.index("----")
    command, _, rest = lines[start].partition(" ")
    return "\n".join([*lines[: end + 1], run(command, rest, lines[start + 1 : end])])
