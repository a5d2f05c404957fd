"""The cluster as it is wired, with what each node has at a moment; and the frames of its animation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import plotly.graph_objects as go
from numpy.typing import ArrayLike

from replsim.analysis.frames import Frame, frames
from replsim.plots import runs as several
from replsim.plots.layout import link_text, places
from replsim.plots.palette import BAD, GOOD, THEMES, Theme, node_colours
from replsim.plots.runs import Run, Runs
from replsim.plots.style import canvas
from replsim.scenario.topology import zone_of
from replsim.summary import show
from replsim.units import SECOND

__all__ = ["topology", "topology_frames"]

Places = Mapping[str, tuple[float, float]]

SHORT: Final = 5
"""Names of up to so many letters stand in their node, longer ones above it."""
STAGES: Final = {"primary": ("insert", "flush"), "standby": ("receive", "write", "flush", "apply"), "down": ("flush",)}


def topology(results: Runs, *, at: float | None = None, theme: Theme = "light") -> go.Figure:
    """Who streams from whom: each link with its mean latency, and what is on it; each standby with its lag.

    ``at`` is a moment in seconds since the start; without it the end of the run.  Of several results the first.
    """
    run = several.of(results)[0]
    scenario = run.scenario
    moment = scenario.duration / SECOND if at is None else at
    (frame,) = frames(run.facts, [moment])
    where = {name: (x, 1 - y) for name, (x, y) in places(scenario).items()}
    hidden = {"visible": False}
    figure = canvas(
        f"The cluster at {show(moment, 's')}",
        hidden | {"range": [-0.22, 1.22]},
        hidden | {"range": [-0.28, 1.28]},
        theme=theme,
        height=max(260, 110 * len({y for _, y in where.values()}) + 120),
        showlegend=False,
    )
    for name in frame.flights:
        if frame.nodes[name].upstream:
            _add_link(figure, run, frame, name, where, theme)
    for name in scenario.nodes:
        _add_node(figure, run, frame, name, where, theme)
    return figure


def _goes_down(run: Run, where: Places) -> bool:
    """Whether the layers go downwards: then the primary stands in the middle at the top."""
    return len(where) > 1 and where[run.scenario.primary.name][0] != 0


def _add_node(figure: go.Figure, run: Run, frame: Frame, name: str, where: Places, theme: Theme) -> None:
    scenario, text = run.scenario, THEMES[theme]["text"]
    x, y = where[name]
    role = frame.nodes[name].role
    fits = max(map(len, scenario.nodes)) <= SHORT
    zone = zone_of(scenario, name)
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers+text",
        text=[f"<b>{name}</b>"],
        textposition="middle center" if fits else "top center",
        textfont={"color": "#FFFFFF" if fits else text, "size": 14},
        marker={
            "size": 44 if fits else 30,
            "color": node_colours(scenario)[name],
            "symbol": {"primary": "square", "standby": "circle", "down": "x"}[role],
        },
        hovertemplate=_hover(name, frame) + "<extra></extra>",
    )
    words = [f"in {zone}"] if zone else []
    words.append(_behind(frame, name) if role == "standby" else role)
    aside = {"xshift": 30, "xanchor": "left", "align": "left"}
    place = aside if _goes_down(run, where) else {"yshift": -28, "yanchor": "top"}
    figure.add_annotation(x=x, y=y, text="<br>".join(words), font={"color": text}, **place)


def _add_link(figure: go.Figure, run: Run, frame: Frame, name: str, where: Places, theme: Theme) -> None:
    upstream = frame.nodes[name].upstream
    (x0, y0), (x1, y1) = where[upstream], where[name]
    soft = THEMES[theme]["soft"]
    arrow = {"axref": "x", "ayref": "y", "showarrow": True, "arrowhead": 2, "arrowwidth": 1.5, "arrowcolor": soft}
    figure.add_annotation(x=x1, y=y1, ax=x0, ay=y0, text="", standoff=26, startstandoff=26, **arrow)
    flight = frame.flights[name]
    words = [link_text(run.scenario, upstream, name)]
    if flight.in_flight:
        words.append(f"{show(float(flight.in_flight), 'B')} on its way")
    aside = {"xshift": 8, "xanchor": "left", "align": "left"} if _goes_down(run, where) else {}
    figure.add_annotation(
        x=(x0 + x1) / 2,
        y=(y0 + y1) / 2,
        text="<br>".join(words),
        font={"size": 11},
        bgcolor=THEMES[theme]["background"],
        **aside,
    )
    if flight.messages:
        figure.add_scatter(
            x=[x0 + (x1 - x0) * far for far in flight.messages],
            y=[y0 + (y1 - y0) * far for far in flight.messages],
            mode="markers",
            marker={"size": 7, "color": soft},
            hoverinfo="skip",
        )


def _behind(frame: Frame, name: str) -> str:
    state = frame.nodes[name]
    if not state.lag_commits:
        return "up to date"
    commits = "1 commit" if state.lag_commits == 1 else f"{show(float(state.lag_commits), 'count')} commits"
    return f"{show(state.lag_seconds, 's')} behind<br>{commits}"


def _hover(name: str, frame: Frame) -> str:
    state = frame.nodes[name]
    lines = [f"{stage} {show(float(lsn), 'B')}" for stage, lsn in state.positions.items()]
    return "<br>".join([f"<b>{name}</b>", *lines])


def topology_frames(results: Runs, times: ArrayLike, *, theme: Theme = "light") -> dict[str, Any]:
    """Data for a player, as JSON has it: the nodes and links once, and a frame for each of ``times`` (seconds, rising).

    ========= ============================================================================================
    nodes     name, zone, color, x and y (0 … 1 from the left and from the top)
    links     from, to, label: every pair that streams in some frame
    stages    role → the stages that a node of that role is drawn with
    frames    time (s); nodes: name → role, upstream, positions by stage (bytes) and lag in bytes, commits, seconds;
              flights: standby → in_flight (bytes), messages and replies (each 0 … 1 of its way); looks: reads that
              looked since the frame before, with saw and should (bytes), stale, age (s)
    base      the smallest applied position in the first frame (bytes): bars may start there
    colors    background, text, grid, soft, good, bad
    ========= ============================================================================================
    """
    run = several.of(results)[0]
    scenario = run.scenario
    where, colours = places(scenario), node_colours(scenario)
    found = [asdict(frame) for frame in frames(run.facts, times)]
    pairs = {(state["upstream"], name): None for frame in found for name, state in frame["nodes"].items()}
    first = [state["positions"] for state in found[0]["nodes"].values()] if found else []
    return {
        "nodes": [
            {
                "name": name,
                "zone": zone_of(scenario, name),
                "color": colours[name],
                "x": where[name][0],
                "y": where[name][1],
            }
            for name in scenario.nodes
        ],
        "links": [
            {"from": upstream, "to": name, "label": link_text(scenario, upstream, name)}
            for upstream, name in pairs
            if upstream
        ],
        "stages": STAGES,
        "frames": found,
        "base": min((min(positions.values()) for positions in first), default=0),
        "colors": {**THEMES[theme], "good": GOOD, "bad": BAD},
    }
