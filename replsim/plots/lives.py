"""The lives of one commit and of one read as space-time diagrams: places from left to right, time downwards."""

from __future__ import annotations

from typing import Final

import plotly.graph_objects as go

from replsim.analysis.life import CLIENT, CommitLife, choose_commit, commit_life
from replsim.analysis.readlife import ReadLife, choose_read, read_life
from replsim.plots import runs as several
from replsim.plots.palette import BAD, PARTS, QUIET, Theme, node_colours
from replsim.plots.runs import Runs
from replsim.plots.spacetime import SpaceTime
from replsim.units import NEVER

__all__ = ["follow", "follow_read"]

MOMENTS: Final = {
    "due": "due",
    "inserted": "inserted",
    "flushed": "flushed",
    "visible": "visible",
    "acknowledged": "acknowledged",
    "receive": "received",
    "write": "written",
    "flush": "flushed",
    "apply": "applied",
    "undone": "goes on without it",
    "crash": "dies",
    "restart": "restarts",
    "steps down": "steps down",
    "fenced": "is fenced",
    "learns of the new primary": "steps down",
}
"""The moments that are drawn, and their words."""
STAYS: Final = (
    ("flush", "inserted", "flushed"),
    ("remote write", "receive", "write"),
    ("remote flush", "write", "flush"),
    ("replay", "flush", "apply"),
)
"""Parts of a commit's latency that it spends at one place, from and to."""
FAR: Final = 2.5
"""The diagram ends so many latencies after the commit was due, where it takes a standby longer."""


def follow(results: Runs, commit: str | int = "median", *, theme: Theme = "light") -> go.Figure:
    """One commit's way: the ``median`` one, the ``slowest``, a ``lost``, ``acknowledged_locally``,
    ``unknown`` or ``pending`` one, or its number.

    What its client waited for is drawn thick, in the colours of `breakdown`.  Raises `NotInResult` where there is no
    such commit.  Of several results the first.
    """
    run = several.of(results)[0]
    life = commit_life(run.facts, choose_commit(run.facts, commit))
    until = _until(life)
    drawn = SpaceTime(
        f"Commit {life.row} of {life.writer}",
        life.places,
        (life.start, until),
        "time since it was due",
        node_colours(run.scenario),
        theme,
    )
    primary = life.primary
    for part, start, end in STAYS:
        place = primary if part == "flush" else life.decider
        if place is None or life.parts is None or not life.parts.parts[part][0]:
            continue
        times = life.time(place, start), life.time(place, end)
        if times[0] is not None and times[1] is not None:
            drawn.stay(place, times[0], times[1], PARTS[part], part)
    for message in life.messages:
        if message.lost:
            drawn.lost(message.start.place, message.start.time, message.end.place, message.end.time)
            continue
        own = CLIENT in (message.start.place, message.end.place)
        drawn.arrow(
            (message.start.place, message.start.time),
            (message.end.place, message.end.time),
            f"{message.what} {message.start.place} → {message.end.place}",
            label="" if own or not (message.decisive or message.what == "WAL") else message.what,
            strong=message.decisive,
        )
    for place in life.places:
        mine = [
            (each.time, MOMENTS[each.what]) for each in life.moments if each.place == place and each.what in MOMENTS
        ]
        drawn.moments(place, mine, left=place == CLIENT)
    return drawn.figure


def _until(life: CommitLife) -> int:
    """Where the diagram ends: at the last thing that matters, or before one that comes much later."""
    told = life.time(CLIENT, "acknowledged")
    if any(each.lost for each in life.messages):
        return max(each.end.time for each in life.messages if each.end.place != CLIENT and each.lost)
    ends = [each.time for each in life.moments if each.what in MOMENTS]
    if told is None or told == life.start:
        return max(ends)
    return max(time for time in ends if time <= max(life.start + FAR * (told - life.start), told))


def follow_read(results: Runs, read: str | int = "stalest", *, theme: Theme = "light") -> go.Figure:
    """One read: the ``stalest`` within the window, the ``median`` one of the stale ones, or its number.

    It shows when the read was issued, looked and was answered, and the first commit that it missed; red is the time
    for which the node lacked that commit although its client knew of it.  Raises `NotInResult` where there is no such
    read.  Of several results the first.
    """
    run = several.of(results)[0]
    life = read_life(run.facts, choose_read(run.facts, read))
    reader, writer, primary = f"{life.reader} reads", f"{life.writer} writes", run.scenario.primary.name
    stale = life.missed is not None
    places = dict.fromkeys([writer, primary, life.node, reader] if stale else [life.node, reader])
    times = [life.issued, life.looked, life.answered, life.inserted, life.acknowledged, life.applied]
    times = [time for time in times if time < NEVER]
    drawn = SpaceTime(
        f"Read {life.number} of {life.reader}",
        list(places),
        (min(times), max(times)),
        f"time since {f'commit {life.missed} was inserted' if stale else 'it was issued'}",
        node_colours(run.scenario),
        theme,
    )
    here = [(life.looked, "looked: not there yet" if stale else "looked: all there")]
    if life.missed is not None:
        received = commit_life(run.facts, life.missed).time(life.node, "receive")
        _add_missed(drawn, life, (writer, primary), received, max(times))
        here.append((life.applied, "applied"))
    drawn.arrow((reader, life.issued), (life.node, life.arrived), "read", label="read", strong=True)
    if life.looked > life.arrived:
        drawn.stay(life.node, life.arrived, life.looked, QUIET, "waiting until the node has replayed enough")
        here.append((life.arrived, "came"))
    drawn.moments(life.node, [each for each in here if each[0] < NEVER], left=True)
    ends = [(life.issued, "asked")]
    if life.issued < life.answered < NEVER:
        drawn.arrow((life.node, life.looked), (reader, life.answered), "answer", label="", strong=True)
        ends.append((life.answered, "answered"))
    drawn.moments(reader, ends)
    return drawn.figure


def _add_missed(drawn: SpaceTime, life: ReadLife, places: tuple[str, str], received: int | None, end: int) -> None:
    """The first commit that the read missed: when its WAL came, and for how long the node lacked it."""
    writer, primary = places
    drawn.stay(life.node, life.acknowledged, min(life.applied, end), BAD, "the client knows, the node does not")
    drawn.arrow((primary, life.inserted), (writer, life.acknowledged), "commit's answer", label="answer", strong=False)
    if received is not None:
        drawn.arrow((primary, life.inserted), (life.node, received), "WAL", label="WAL", strong=False)
        drawn.moments(life.node, [(received, "received")])
    drawn.moments(primary, [(life.inserted, f"commit {life.missed}")])
    drawn.moments(writer, [(life.acknowledged, "acknowledged")], left=True)
