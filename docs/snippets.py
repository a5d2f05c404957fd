"""Pages whose Python is run: each ``python`` block that a ``text`` block follows prints what that block says."""

from __future__ import annotations

import contextlib
import io
import re
from typing import Any, Final

__all__ = ["run_page"]

PAIR: Final = re.compile(r"```python\n(?P<code>.*?)```\n(?P<between>\n```text\n)?(?(between).*?```\n)", re.DOTALL)


def run_page(text: str) -> str:
    """The page with the output of its Python in it; the blocks share their names, from the top to the bottom."""
    names: dict[str, Any] = {"__name__": "page"}

    def output(match: re.Match[str]) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(match["code"], "<page>", "exec"), names)
        block = f"```python\n{match['code']}```\n"
        if match["between"] is None:
            assert not printed.getvalue(), "a block that prints is followed by a text block"
            return block
        return f"{block}\n```text\n{printed.getvalue()}```\n"

    return PAIR.sub(output, text)
