"""The actors of a cluster, wired in the order in which the WAL flows, and run a chunk of time at a time."""

from __future__ import annotations

from typing import NamedTuple

from replsim.engines.stages.actors.primary import Primary
from replsim.engines.stages.answers import Answered, Answers
from replsim.engines.stages.intake import Intake, groups
from replsim.engines.stages.kernels.primary_flush import Flushes
from replsim.engines.stages.kernels.sender_link import Flushed
from replsim.engines.stages.log import Log
from replsim.engines.stages.parting import Note, Rank
from replsim.engines.stages.pool import Pool
from replsim.engines.stages.replica import Replica
from replsim.engines.stages.stream import Streamed
from replsim.engines.stages.troubles import Troubles, noted
from replsim.errors import UnsupportedScenario
from replsim.randomness import Streams
from replsim.scenario import Scenario
from replsim.scenario.topology import downstream
from replsim.units import NEVER, format_duration

__all__ = ["Chunk", "Pipeline"]


class Chunk(NamedTuple):
    """What a stretch of time added to a run: of each column, what comes after what was there before."""

    answered: Answered
    flushes: Flushes
    streamed: dict[str, Streamed]


class Pipeline:
    """A scenario's cluster, ready to run."""

    def __init__(self, scenario: Scenario, streams: Streams) -> None:
        self.scenario = scenario
        self.intake = Intake(groups(scenario, streams))
        self.log = Log(scenario, streams, self.intake.groups)
        has_writer = (
            any(group.level == "off" or group.chunk for group in self.intake.groups) or scenario.background is not None
        )
        self.troubles = Troubles(scenario, streams)
        self.primary = Primary(scenario, streams, self.troubles, has_writer=has_writer)
        self.replicas = {
            standby: Replica(scenario, streams, self.troubles, upstream, standby, place, self.log)
            for place, (upstream, standby) in enumerate(downstream(scenario), start=1)
        }
        leaving = {name for name, replica in self.replicas.items() if replica.may_part}
        self.answers = Answers(scenario, self.log, [group.level for group in self.intake.groups], leaving)
        self.pools = [Pool(group.connections, scenario.wakeup) for group in self.intake.groups]

    def run(self, horizon: int) -> Chunk:
        """Go on up to ``horizon``; the run ends with the chunk whose horizon lies behind the scenario's duration."""
        last = horizon > self.scenario.duration
        end = self.scenario.duration if last else -1
        inserts = self.log.append(self.intake.until(horizon))
        if self.scenario.primary.commit_delay:
            inserts = inserts._replace(begins=self.intake.begins(horizon))
        flushes = self.primary.run(inserts, horizon)
        flushed = {self.scenario.primary.name: Flushed(flushes.ends, flushes.targets)}
        known = {self.scenario.primary.name: end if last else horizon - 1}
        streamed = {}
        for name, replica in self.replicas.items():
            streamed[name] = replica.run(flushed[replica.upstream], known[replica.upstream], end)
            known[name] = end if last else min(known[replica.upstream], replica.open_from - 1)
            flushed[name] = Flushed(*streamed[name].moved.flushed)
        candidates = self.answers.candidates
        replies = {name: streamed[name].moved.replies for name in candidates}
        present = {name: self.replicas[name].present for name in candidates}
        answered = self.answers.run(flushes, replies, present, complete=last)
        self._refuse_what_binds(answered, horizon, last=last)
        self.log.drop(
            self.answers.row, min((each.standby.place for each in self.replicas.values()), default=self.log.end)
        )
        return Chunk(answered, flushes, streamed)

    @property
    def happened(self) -> list[tuple[int, str, str]]:
        """When something happened, to whom, and what, as far as it is known; in order."""
        notes = [
            Note(time, Rank.FAULT, place, -1, -1, node, what)
            for place, window in enumerate(self.troubles.windows)
            for time, node, what in noted(self.scenario, window)
        ]
        notes += [note for replica in self.replicas.values() for note in replica.notes]
        return [(note.time, note.node, note.what) for note in sorted(notes, key=lambda note: note[:5])]

    def _refuse_what_binds(self, answered: Answered, horizon: int, *, last: bool) -> None:
        """Raise `UnsupportedScenario` if work has waited for a connection: from there on, answers feed back."""
        assert self.log.rows is not None
        open_from = self.answers.row - self.log.first
        rest = self.log.rows.inserted[open_from:]
        until = NEVER if last else int(rest[0]) if len(rest) else horizon
        for place, (group, pool) in enumerate(zip(self.intake.groups, self.pools, strict=True)):
            mine = slice(None) if len(self.pools) == 1 else answered.rows.group == place
            when = pool.binds(group.submitted, answered.acknowledged[mine], answered.rows.way[mine], until)
            if when is not None:
                kind, _, name = group.name.partition(":")
                about = format_duration(when - when % 1_000)
                raise UnsupportedScenario(f"{kind} {name} runs out of its {group.connections} connections at {about}")
