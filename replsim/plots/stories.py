"""Why one commit took as long as it did, and why one read was stale, in words."""

from __future__ import annotations

from typing import Final

from replsim.analysis.facts import Facts
from replsim.analysis.life import CLIENT, CommitLife
from replsim.analysis.readlife import ReadLife
from replsim.plots.phrases import listed
from replsim.summary import show
from replsim.units import NEVER, SECOND

__all__ = ["commit_story", "read_story"]

PHRASES: Final = {
    "connection": "waiting for a connection",
    "execution": "getting there and executing",
    "flush": "for the primary's flush",
    "network out": "on the way to {node}",
    "remote write": "for {node}'s write",
    "remote flush": "for {node}'s flush",
    "replay": "for {node}'s replay",
    "network back": "for {node}'s reply back",
    "answer": "for the answer to the client",
}
LITTLE: Final = 50
"""What took less than such a part of the whole goes without saying."""


def commit_story(facts: Facts, life: CommitLife) -> str:
    """Why a commit took so long, and where it could be seen when."""
    who = f"Commit {life.row} of {life.writer} (synchronous_commit = {life.level})"
    if life.parts is None:
        return f"{who} {_unfinished(facts, life)}"
    total = int(life.parts.latency[0])
    spent = [(part, int(times[0])) for part, times in life.parts.parts.items()]
    told = [f"{_time(time)} {PHRASES[part].format(node=life.decider)}" for part, time in spent if time * LITTLE > total]
    text = f"{who} took {_time(total)}: {listed(told)}."
    if life.decider is not None:
        rule = facts.record.scenario.primary.synchronous_standby_names or "named by the manager"
        text += f" It waited for {life.decider} ({rule})."
    return text + _seen(facts, life, life.time(CLIENT, "acknowledged") or 0) + _undone(life)


def _unfinished(facts: Facts, life: CommitLife) -> str:
    if life.outcome == "failed":
        return "failed: there was no primary that could take it."
    if life.outcome == "unknown" and (left := _left(facts, life)) is not None:
        return f"is unknown to its client, which had no answer within {_time(left)} and closed its connection." + (
            _undone(life) or _seen(facts, life, facts.record.scenario.duration)
        )
    if life.outcome == "unknown":
        if life.time(life.primary, "inserted") is None:
            return f"is unknown to its client: {life.primary} went away before it could commit."
        return f"is unknown to its client: {life.primary} went away before it could answer." + (
            _undone(life) or " It survived."
        )
    if life.time(CLIENT, "sent") is None:
        return "was still waiting for a connection at the end of the run."
    if life.time(life.primary, "inserted") is None:
        return "had not reached the log by the end of the run."
    outcome = life.outcome.replace("_", " ")
    if life.time(life.primary, "flushed") is None:
        return f"was {outcome}: {life.primary} had not flushed it by the end of the run." + _undone(life)
    rule = facts.record.scenario.primary.synchronous_standby_names
    waits = f"waited for {rule}" if rule and life.level not in ("off", "local") else "was flushed"
    told = life.time(CLIENT, "acknowledged")
    when = f"at {_time(told)}" if told is not None else "at the end of the run"
    return f"was {outcome} {when}: it {waits}." + (
        _undone(life) or _seen(facts, life, told if told is not None else facts.record.scenario.duration)
    )


def _left(facts: Facts, life: CommitLife) -> int | None:
    """The time-out after which a commit's client left it; None where that is not what happened."""
    writer, commits = facts.record.scenario.writers.get(life.writer), facts.record.commits
    if writer is None or writer.timeout is None or writer.at_timeout != "disconnect":
        return None
    waited = int(commits["learned"][life.row] - commits["started"][life.row])
    return writer.timeout if waited == writer.timeout else None


def _undone(life: CommitLife) -> str:
    """That a commit was lost, when, and to whom the client had been told of it."""
    if life.undone is None:
        return ""
    told = life.time(CLIENT, "acknowledged")
    known = f"It had been acknowledged at {_time(told)}, and was" if told is not None else "It was"
    how = "came back" if life.undone.node == life.primary else "was promoted"
    return f" {known} lost when {life.undone.node} {how} without it at {_time(life.undone.start)}.{_on_its_way(life)}"


def _on_its_way(life: CommitLife) -> str:
    """To whom it had been sent, and never came."""
    lost = [each for each in life.messages if each.lost]
    if not lost:
        return ""
    names = listed([each.end.place for each in lost])
    return f" It was on its way to {names} when {life.primary} went down at {_time(lost[0].end.time)}."


def _seen(facts: Facts, life: CommitLife, told: int) -> str:
    """On which standbys it could be seen before and after its client knew of it."""
    early, late, never = [], [], []
    for name in facts.record.scenario.nodes:
        if name == life.primary or "apply" not in facts.record.positions[name]:
            continue
        applied = life.time(name, "apply")
        if applied is None:
            never.append(name)
        elif applied <= told:
            early.append(name)
        else:
            late.append(f"{_time(applied - told)} on {name}")
    text = ""
    if late:
        text += f" A read sent once its client knew of it could still miss it for {' and for '.join(late)}."
    if early:
        text += f" {listed(early)} showed it before its client knew."
    if never and life.undone is None:
        text += f" {listed(never)} had not applied it by the end of the run."
    return text


def read_story(life: ReadLife) -> str:
    """Why a read was stale, or that it was not."""
    who = f"Read {life.number} of {life.reader}"
    if life.answered == NEVER:
        return f"{who} still waited on {life.node} at the end of the run."
    if life.tries > 1:
        who += f", sent on by {life.tries - 1} {'node' if life.tries == 2 else 'nodes'},"
    if life.looked > life.arrived:
        who += f" waited {_time(life.looked - life.arrived)} for replay on {life.node}, looked there"
    else:
        who += f" looked at {life.node}"
    who += f" at {_time(life.looked)}"
    if life.missed is None:
        return f"{who} and saw everything that a client had been told of."
    commits = "1 commit" if life.versions == 1 else f"{life.versions} commits"
    text = (
        f"{who} and missed {commits}. The first of them, commit {life.missed}, had been acknowledged {_time(life.age)} "
        f"before the read was issued"
    )
    if life.late_by is None and life.lost:
        return f"{text}, and was lost: {life.node} went on without it."
    if life.late_by is None:
        return f"{text}, and was never applied on {life.node} during the run."
    return f"{text}, but was applied on {life.node} only {_time(life.late_by)} after the read looked."


def _time(nanoseconds: int) -> str:
    return show(nanoseconds / SECOND, "s")
