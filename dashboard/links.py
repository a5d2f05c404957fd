"""What a page shows, as one value, and as the URL that opens it again.

The URL says what the command line would: ``?scenario=three-nodes&writers.app.rate=800/s`` is
``replsim run three-nodes --set writers.app.rate=800/s``.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Self
from urllib.parse import urlencode

__all__ = ["DEFAULT", "LONGEST_URL", "MOST_SEEDS", "UPLOAD", "Setup"]

DEFAULT: Final = "quickstart/async-replica"
"""What a first visit shows: quick, and with something to see."""
UPLOAD: Final = "upload"
"""The base of a setup whose scenario is a text of the user's own."""
MOST_SEEDS: Final = 30
LONGEST_URL: Final = 1_800
"""Characters of a query beyond which mail programs and proxies cut URLs."""

_OWN: Final = ("scenario", "seeds")
_PAGES: Final = ("commit", "read", "lag", "stale", "film", "step", "vary", "beside")
"""Parameters that belong to one page, not to the setup."""


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
    def query(self) -> dict[str, str]:
        """The URL's parameters; of an upload only what is changed in it."""
        own = {} if self.base == UPLOAD else {"scenario": self.base}
        return own | dict(self.changes) | ({"seeds": str(self.seeds)} if self.seeds > 1 else {})

    @property
    def fits(self) -> bool:
        """Whether a URL can carry it: else the scenario is to be downloaded."""
        return self.base != UPLOAD and len(urlencode(self.query)) <= LONGEST_URL

    @property
    def command(self) -> str:
        """The command line that runs the same."""
        sets = [f"--set {shlex.quote(f'{path}={text}')}" for path, text in self.changes]
        name = "scenario.yaml" if self.base == UPLOAD else self.base
        return " ".join(["replsim run", name, *sets])

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """The setup that a URL asks for.  Whether it can be run is for `dashboard.sources` to say."""
        seeds = query.get("seeds", "1")
        return cls(
            base=query.get("scenario") or DEFAULT,
            changes=tuple((path, text) for path, text in query.items() if path not in (*_OWN, *_PAGES)),
            seeds=min(max(int(seeds), 1), MOST_SEEDS) if seeds.isdecimal() else 1,
        )

    @staticmethod
    def speaks_of_it(query: Iterable[str]) -> bool:
        """Whether a URL's parameters say anything of a setup."""
        return any(name not in _PAGES for name in query)
