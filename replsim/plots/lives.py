"""The lives of one commit and of one read as space-time diagrams: places from left to right, time downwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from replsim.analysis.life import CommitLife, choose_commit, commit_life
from replsim.analysis.readlife import ReadLife, choose_read, read_life
from replsim.plots import runs as several
from replsim.plots.axes import Scale, scale_for
from replsim.plots.palette import BAD, THEMES, Theme, node_colours
from replsim.plots.runs import Runs
from replsim.plots.style import canvas
from replsim.summary import show
from replsim.units import NEVER, SECOND

__all__ = ["follow", "follow_read"]

MOMENTS: Final = {
    "due": "due",
    "inserted": "inserted into the WAL",
    "flushed": "flushed",
    "visible": "visible on the primary",
    "acknowledged": "acknowledged",
    "receive": "received",
    "write": "written",
    "flush": "flushed",
    "apply": "applied: reads here see it",
}


def follow(results: Runs, commit: str | int = "median", *, theme: Theme = "light") -> go.Figure:
    """One commit's way: the ``median`` one by latency, the ``slowest``, a ``lost`` or ``pending`` one, or its number.

    Thick arrows are what its client waited for.  Raises `NotInResult` where there is no such commit.
    """
    run = several.of(results)[0]
    life = commit_life(run.facts, choose_commit(run.facts, commit))
    columns = {place: at for at, place in enumerate(life.places)}
    scale = scale_for("s", [[(life.end - life.start) / SECOND]])
    colours = {"client": THEMES[theme]["soft"], **node_colours(run.scenario)}
    figure = _space_time(
        f"Commit {life.row} of {life.writer}", life.places, scale, "time since it was due", colours, theme
    )
    for message in life.messages:
        _add_arrow(
            figure,
            (columns[message.start.place], scale((message.start.time - life.start) / SECOND)),
            (columns[message.end.place], scale((message.end.time - life.start) / SECOND)),
            THEMES[theme]["text"] if message.decisive else THEMES[theme]["soft"],
            width=2.5 if message.decisive else 1,
            text=message.what,
        )
    for place in life.places:
        mine = [each for each in life.moments if each.place == place and each.what in MOMENTS]
        times = [(each.time - life.start) / SECOND for each in mine]
        _add_moments(figure, columns[place], times, [MOMENTS[each.what] for each in mine], scale, colours[place])
    _fit(figure, life, scale)
    return figure


def _fit(figure: go.Figure, life: CommitLife, scale: Scale) -> None:
    length = (life.end - life.start) / SECOND / scale.factor
    figure.update_yaxes(range=[length * 1.06, -length * 0.06])


def follow_read(results: Runs, read: str | int = "stalest", *, theme: Theme = "light") -> go.Figure:
    """One read: the ``stalest`` within the window, the ``median`` one of the stale ones, or its number.

    It shows when the read was issued, looked and was answered, and the first commit that it missed.  Raises
    `NotInResult` where there is no such read.
    """
    run = several.of(results)[0]
    life = read_life(run.facts, choose_read(run.facts, read))
    primary = run.scenario.primary.name
    places = [life.reader, life.node]
    if life.missed is not None:
        places = ["writer", primary, life.node, life.reader]
    colours = {life.reader: THEMES[theme]["soft"], "writer": THEMES[theme]["soft"], **node_colours(run.scenario)}
    events = _read_events(life, primary)
    start = min(time for _, time, _, _ in events)
    end = max(time for _, time, _, _ in events)
    scale = scale_for("s", [[max(end - start, 1) / SECOND]])
    since = "the commit that it missed was inserted" if life.missed is not None else "it was issued"
    figure = _space_time(f"Read {life.number} of {life.reader}", places, scale, f"time since {since}", colours, theme)
    columns = {place: at for at, place in enumerate(places)}
    at = {name: (columns[place], float(scale((time - start) / SECOND))) for place, time, name, _ in events}
    text, soft = THEMES[theme]["text"], THEMES[theme]["soft"]
    for here, there, what, strong in (
        ("issued", "looked", "read", True),
        ("looked", "answered", "answer", True),
        ("inserted", "applied", "WAL", False),
        ("inserted", "acknowledged", "answer", False),
    ):
        if here in at and there in at:
            _add_arrow(figure, at[here], at[there], text if strong else soft, width=2.5 if strong else 1, text=what)
    for place, time, _, words in events:
        colour = BAD if words.startswith("looked") and life.missed is not None else colours[place]
        _add_moments(figure, columns[place], [(time - start) / SECOND], [words], scale, colour)
    length = max(end - start, 1) / SECOND / scale.factor
    figure.update_yaxes(range=[length * 1.08, -length * 0.08])
    return figure


def _read_events(life: ReadLife, primary: str) -> list[tuple[str, int, str, str]]:
    """Place, time, name and words of what happened; what did not happen is left out."""
    missing = "" if life.missed is None else ": the commit is not here yet"
    events = [
        (life.reader, life.issued, "issued", "issued"),
        (life.node, life.arrived, "looked", f"looked{missing}"),
        (life.reader, life.answered, "answered", "answered"),
    ]
    if life.missed is not None:
        events += [
            (primary, life.inserted, "inserted", "inserted into the WAL"),
            ("writer", life.acknowledged, "acknowledged", "acknowledged"),
            (life.node, life.applied, "applied", "applied: now it is"),
        ]
    return [each for each in events if each[1] < NEVER]


def _space_time(
    title: str, places: Sequence[str], scale: Scale, what: str, colours: dict[str, str], theme: Theme
) -> go.Figure:
    figure = canvas(
        title,
        {
            "side": "top",
            "tickvals": list(range(len(places))),
            "ticktext": [f"<b>{place}</b>" for place in places],
            "range": [-0.45, len(places) - 0.25],
            "showgrid": False,
            "zeroline": False,
            "ticks": "",
        },
        {"title": scale.title(what), "zeroline": False},
        theme=theme,
        height=560,
        showlegend=False,
    )
    for at, place in enumerate(places):
        figure.add_vline(x=at, line={"color": colours[place], "width": 2}, opacity=0.6, layer="below")
    return figure


def _add_arrow(
    figure: go.Figure, start: tuple[Any, Any], end: tuple[Any, Any], colour: str, *, width: float, text: str
) -> None:
    figure.add_annotation(
        x=end[0], y=float(end[1]), ax=start[0], ay=float(start[1]), axref="x", ayref="y", text="", showarrow=True,
        arrowhead=2, arrowwidth=width, arrowcolor=colour, standoff=4, startstandoff=4,
    )  # fmt: skip
    figure.add_annotation(
        x=(start[0] + end[0]) / 2, y=(float(start[1]) + float(end[1])) / 2, text=text, font={"size": 11}, yshift=8
    )


def _add_moments(
    figure: go.Figure, column: int, times: Sequence[float], words: Sequence[str], scale: Scale, colour: str
) -> None:
    figure.add_scatter(
        x=[column] * len(times),
        y=scale(times),
        mode="markers",
        marker={"color": colour, "size": 9},
        text=[f"{word}, {show(time, 's')}" for word, time in zip(words, times, strict=True)],
        hovertemplate="%{text}<extra></extra>",
    )
