"""A space-time diagram: a column for each place, time downwards, arrows for what goes from place to place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from replsim.plots.axes import scale_for
from replsim.plots.palette import BAD, THEMES, Theme, see_through
from replsim.plots.style import canvas
from replsim.summary import show
from replsim.units import SECOND

__all__ = ["SpaceTime"]

HEIGHT: Final = 560
APART: Final = 0.034
"""Labels of one column stand at least so far apart, as a share of the height."""
RIGHT: Final = 1.0
"""Room beside the last column for its labels, in columns."""
LEFT: Final = 0.25
"""Room beside the first one, as a share of the width: as much as a word takes on a telephone."""
FLAT: Final = 0.03
"""An arrow that falls by less of the height has its label above it."""
LOST: Final = 0.72
"""How far towards its end the way of something is drawn that never arrives."""


class SpaceTime:
    """A figure to which arrows, moments and stays are added; times are in nanoseconds."""

    def __init__(
        self,
        title: str,
        places: Sequence[str],
        span: tuple[int, int],
        what: str,
        colours: Mapping[str, str],
        theme: Theme,
    ) -> None:
        self._columns = {place: column for column, place in enumerate(places)}
        self._start, self._end = span
        self._length = max(span[1] - span[0], 1) / SECOND
        self._scale = scale_for("s", [[self._length]])
        self._theme = THEMES[theme]
        self._colours = {place: colours.get(place, self._theme["soft"]) for place in places}
        # Added one by one to a figure, each would be checked together with all before it.
        self._traces: list[dict[str, Any]] = []
        self._notes: list[dict[str, Any]] = []
        length = float(self._scale(self._length))
        self._empty = canvas(
            title,
            {
                "side": "top",
                "tickvals": list(range(len(places))),
                "ticktext": [f"<b>{place}</b>" for place in places],
                "range": [-(len(places) - 1 + RIGHT) * LEFT / (1 - LEFT), len(places) - 1 + RIGHT],
                "showgrid": False,
                "zeroline": False,
                "ticks": "",
            },
            {"title": self._scale.title(what), "zeroline": False, "range": [length * 1.07, -length * 0.05]},
            theme=theme,
            height=HEIGHT,
            showlegend=False,
            margin={"t": 76},
            shapes=[
                {
                    "type": "line",
                    "x0": column,
                    "x1": column,
                    "yref": "paper",
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": self._colours[place], "width": 2},
                    "opacity": 0.5,
                    "layer": "below",
                }
                for place, column in self._columns.items()
            ],
        )

    @property
    def figure(self) -> go.Figure:
        """The figure of all that was added so far."""
        figure = go.Figure(self._empty)
        figure.add_traces([go.Scatter(trace) for trace in self._traces])
        figure.update_layout(annotations=self._notes)
        return figure

    def _at(self, time: int) -> float:
        return float(self._scale((time - self._start) / SECOND))

    def stay(self, place: str, start: int, end: int, colour: str, what: str) -> None:
        """What went on at one place from ``start`` to ``end``: a thick stretch of its column."""
        column, here, there = self._columns[place], self._at(start), self._at(min(end, self._end))
        self._add(
            x=[column] * 3,
            y=[here, (here + there) / 2, there],
            mode="lines",
            line={"color": colour, "width": 9},
            hovertemplate=f"<b>{what}</b><br>{_time(end - start)} on {place}<extra></extra>",
        )

    def arrow(self, start: tuple[str, int], end: tuple[str, int], what: str, *, label: str, strong: bool) -> None:
        """Something went from a place at a time to another; one that arrives after the diagram's end leaves it."""
        x0, x1, y0, y1 = self._columns[start[0]], self._columns[end[0]], self._at(start[1]), self._at(end[1])
        if start[1] > self._end:
            return
        lasted = end[1] - start[1]
        colour = self._theme["text"] if strong else see_through(self._theme["soft"], 0.6)
        look = {
            "arrowhead": 2,
            "arrowwidth": 2.2 if strong else 1,
            "arrowcolor": colour,
            "standoff": 4,
            "startstandoff": 2,
        }
        ends = {"x": x1, "y": y1, "ax": x0, "ay": y0, "axref": "x", "ayref": "y"}
        self._notes.append({**ends, **look, "text": "", "showarrow": True})
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        # An arrow has no hover text of its own: a point in its middle that cannot be seen has.
        hover = f"{what}: {_time(lasted)}<extra></extra>"
        self._add(x=[x], y=[y], mode="markers", marker={"size": 16, "opacity": 0}, hovertemplate=hover)
        if label and y < self._at(self._end) * 1.03:
            flat = y1 - y0 < FLAT * float(self._scale(self._length))
            # Two columns may be so near to each other that an arrow between them has room for one word.
            self._label(x, y, label if flat or not lasted else f"{label} {_time(lasted)}", "center", 0, 9 * flat)

    def lost(self, place: str, start: int, towards: str, end: int) -> None:
        """Something left a place and never arrived: its way ends in a cross before the other column."""
        x0, x1 = self._columns[place], self._columns[towards]
        stop = x0 + (x1 - x0) * LOST
        self._add(
            x=[x0, stop],
            y=[self._at(start), self._at(end)],
            mode="lines+markers",
            line={"color": BAD, "width": 1.5, "dash": "dot"},
            marker={"color": BAD, "symbol": "x-thin", "size": [0, 12], "line": {"color": BAD, "width": 2.5}},
            hovertemplate=f"WAL {place} → {towards}: never arrived<extra></extra>",
        )
        self._label((x0 + stop) / 2, self._at((start + end) // 2), "lost", "center", 0)

    def moments(self, place: str, moments: Sequence[tuple[int, str]], *, left: bool = False) -> None:
        """What happened at a place: dots and words; the last is told at the foot if it comes too late."""
        anchor, shift = ("right", -9) if left else ("left", 9)
        column: float = self._columns[place]
        shown = [(time, word) for time, word in moments if time <= self._end]
        self._add(
            x=[column] * len(shown),
            y=[self._at(time) for time, _ in shown],
            mode="markers",
            marker={"color": self._colours[place], "size": 9},
            text=[f"{word} {_time(time - self._start)} after the start" for time, word in shown],
            hovertemplate=f"<b>{place}</b>: %{{text}}<extra></extra>",
        )
        gap = APART * 1.12 * float(self._scale(self._length))
        last = -float("inf")
        for time, words in _merged(shown):
            last = max(self._at(time), last + gap)
            self._label(column, last, words, anchor, shift)
        if moments and (final := max(moments))[0] > self._end:
            text = f"{final[1]} after {_time(final[0] - self._start)} ↓"
            if column == len(self._columns) - 1:  # there is no room to its right
                column, anchor, shift = column + RIGHT, "right", 0
            self._label(column, float(self._scale(self._length)) * 1.045, text, anchor, shift)

    def _add(self, **trace: Any) -> None:
        self._traces.append(trace)

    def _label(self, x: float, y: float, text: str, anchor: str, shift: int, up: int = 0) -> None:
        look = {
            "font": {"size": 11, "color": self._theme["text"]},
            "bgcolor": see_through(self._theme["background"], 0.75),
        }
        place = {"x": x, "y": y, "xanchor": anchor, "xshift": shift, "yshift": up}
        self._notes.append({**place, "text": text, "borderpad": 0, **look})


def _merged(moments: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Moments of one time, as one."""
    found: dict[int, list[str]] = {}
    for time, word in sorted(moments, key=lambda each: each[0]):
        found.setdefault(time, []).append(word)
    return [(time, ", ".join(words)) for time, words in found.items()]


def _time(nanoseconds: int) -> str:
    return show(nanoseconds / SECOND, "s")
