"""The colours of everything that is drawn, the same in every figure.

They are Okabe and Ito's eight, which people with any colour vision can tell apart, darkened where needed: each has
a contrast of at least 3 to 1 with both the light and the dark background (WCAG 2.1, 1.4.11).
Source: M. Okabe, K. Ito, "Color Universal Design", 2008.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from replsim.scenario import Scenario

__all__ = [
    "BAD",
    "DASHES",
    "GOOD",
    "PARTS",
    "QUIET",
    "SERIES",
    "THEMES",
    "Theme",
    "named",
    "node_colours",
    "see_through",
    "written_on",
]

Theme = Literal["light", "dark"]

SERIES: Final = ("#0072B2", "#C98500", "#009E73", "#B8609A", "#3A9BD5", "#A08F00", "#888888")
"""Blue, orange, bluish green, reddish purple, sky blue, olive for yellow, grey for black; the eighth is blue again."""
BAD: Final = "#D55E00"
"""Vermillion: what is stale, lost or broken, and nothing else."""
GOOD: Final = "#009E73"
QUIET: Final = "#888888"

DASHES: Final = ("solid", "dash", "dot", "dashdot")
"""Where lines lie close together they differ in their dash as well."""

PARTS: Final[Mapping[str, str]] = {
    "connection": "#888888",
    "execution": "#A08F00",
    "flush": "#0072B2",
    "network out": "#C98500",
    "remote write": "#3A9BD5",
    "remote flush": "#009E73",
    "replay": "#B8609A",
    "network back": "#A6611A",
    "answer": "#888888",
}
"""The parts of a commit's latency: disks blue and green, networks orange and brown."""

THEMES: Final[Mapping[Theme, Mapping[str, str]]] = {
    "light": {"background": "#FFFFFF", "text": "#1B2430", "grid": "#E3E6EA", "soft": "#5B6470"},
    "dark": {"background": "#0E1117", "text": "#E8EAED", "grid": "#2A303A", "soft": "#A4ACB8"},
}
"""What is behind the data and beside it."""


def node_colours(scenario: Scenario) -> Mapping[str, str]:
    """The colour of each node: the primary's is the first, whatever it is called."""
    return _cycled(scenario.nodes, SERIES)


def named(names: Sequence[str]) -> dict[str, str]:
    """The colour of each of some other things, such as writers: from the other end, so that few of them take a
    colour of the nodes."""
    return _cycled(names, SERIES[4::-1] + SERIES[5:])


def _cycled(names: Sequence[str], colours: Sequence[str]) -> dict[str, str]:
    return {name: colours[place % len(colours)] for place, name in enumerate(names)}


def written_on(hexadecimal: str) -> str:
    """Black or white, whichever can be read on a colour; the source is WCAG 2.2's contrast of relative luminances.

    >>> written_on("#0072B2"), written_on("#C98500")
    ('#FFFFFF', '#000000')
    """
    parts = (int(hexadecimal[at : at + 2], 16) / 255 for at in (1, 3, 5))
    light = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), light, strict=True))
    return "#000000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#FFFFFF"


def see_through(hexadecimal: str, opacity: float) -> str:
    """A colour for an area, through which the grid can be seen.

    >>> see_through("#0072B2", 0.2)
    'rgba(0,114,178,0.2)'
    """
    red, green, blue = (int(hexadecimal[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
