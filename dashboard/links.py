"""What a page shows, as one value, and as the URL that opens it again.

The URL says what the command line would: ``?scenario=three-nodes&set=writers.app.rate=800/s`` is
``replsim run three-nodes --set writers.app.rate=800/s``.  Whatever else stands in it belongs to one page.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self
from urllib.parse import urlencode

__all__ = ["DEFAULT", "LONGEST_URL", "MOST_SEEDS", "UPLOAD", "Query", "Setup"]

DEFAULT: Final = "quickstart/async-replica"
"""What a first visit shows: quick, and with something to see."""
UPLOAD: Final = "upload"
"""The base of a setup whose scenario is a text of the user's own."""
MOST_SEEDS: Final = 30
LONGEST_URL: Final = 1_800
"""Characters of a query beyond which mail programs and proxies cut URLs."""

Query = Mapping[str, Sequence[str]]
"""The parameters of a URL, each with its values."""


@dataclass(frozen=True)
class Setup:
    """A base scenario, what is changed in it (path → value, as ``--set`` has them), and on how many seeds it runs."""

    base: str = DEFAULT
    changes: tuple[tuple[str, str], ...] = ()
    seeds: int = 1
    text: str = ""
    """The YAML of an upload."""

    def changed(self, changes: Mapping[str, str | None]) -> Self:
        """With these changes too; None takes one back."""
        after = {**dict(self.changes), **{path: text for path, text in changes.items() if text is not None}}
        for path, text in changes.items():
            if text is None:
                after.pop(path, None)
        return replace(self, changes=tuple(after.items()))

    @property
    def query(self) -> dict[str, list[str]]:
        """The URL's parameters; what is as usual has no value.  Of an upload there is nothing that a URL could hold."""
        if self.base == UPLOAD:
            return {"scenario": [], "set": [], "seeds": []}
        sets = [f"{path}={text}" for path, text in self.changes]
        return {"scenario": [self.base], "set": sets, "seeds": [str(self.seeds)] if self.seeds > 1 else []}

    @property
    def fits(self) -> bool:
        """Whether a URL can carry it: else the scenario is to be downloaded."""
        return self.base != UPLOAD and len(urlencode(self.query, doseq=True)) <= LONGEST_URL

    @property
    def command(self) -> str:
        """The command line that runs the same."""
        sets = [f"--set {shlex.quote(f'{path}={text}')}" for path, text in self.changes]
        name = "scenario.yaml" if self.base == UPLOAD else self.base
        return " ".join(["replsim run", name, *sets])

    @classmethod
    def from_query(cls, query: Query) -> Self:
        """The setup that a URL asks for.  Whether it can be run is for `dashboard.sources` to say."""
        name, seeds = (next(iter(query.get(key, ())), "") for key in ("scenario", "seeds"))
        parted = [text.partition("=") for text in query.get("set", ())]
        return cls(
            base=name or DEFAULT,
            changes=tuple({path.strip(): text.strip() for path, _, text in parted if path.strip()}.items()),
            seeds=min(max(int(seeds), 1), MOST_SEEDS) if seeds.isdecimal() else 1,
        )
