"""The actors of a cluster, wired in the order in which the WAL flows, and run a chunk of time at a time."""

from __future__ import annotations

from typing import NamedTuple

from replsim.engines.stages.actors.primary import Primary
from replsim.engines.stages.actors.sender import Sender, WindowedSender, sender
from replsim.engines.stages.actors.standby import Moved, Standby
from replsim.engines.stages.answers import Answered, Answers
from replsim.engines.stages.intake import Intake, groups
from replsim.engines.stages.kernels.primary_flush import Flushes
from replsim.engines.stages.kernels.sender_link import Flushed, Messages
from replsim.engines.stages.log import Log
from replsim.engines.stages.patience import Patience
from replsim.engines.stages.pool import Pool
from replsim.engines.stages.troubles import Troubles
from replsim.errors import UnsupportedScenario
from replsim.randomness import Streams
from replsim.scenario import Scenario
from replsim.scenario.topology import downstream, link_between
from replsim.units import NEVER, format_duration

__all__ = ["Chunk", "Pipeline"]


class Chunk(NamedTuple):
    """What a stretch of time added to a run: of each column, what comes after what was there before."""

    answered: Answered
    flushes: Flushes
    messages: dict[str, Messages]
    moved: dict[str, Moved]


class Replica(NamedTuple):
    """One standby, the sender that feeds it, and how long each waits for the other."""

    upstream: str
    sender: Sender | WindowedSender
    standby: Standby
    sender_waits: Patience
    standby_waits: Patience


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
        self.replicas: dict[str, Replica] = {}
        for upstream, standby in downstream(scenario):
            link, back = link_between(scenario, upstream, standby), link_between(scenario, standby, upstream)
            assert link is not None
            assert back is not None
            self.replicas[standby] = Replica(
                upstream,
                sender(scenario, streams, self.troubles, upstream, standby, link, back),
                Standby(scenario, streams, self.troubles, upstream, standby, back, self.log),
                Patience(self.troubles, standby, upstream, back, scenario.primary.wal_sender_timeout),
                Patience(self.troubles, upstream, standby, link, scenario.standbys[standby].wal_receiver_timeout),
            )
        self.answers = Answers(scenario, self.log, [group.level for group in self.intake.groups])
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
        messages, moved = {}, {}
        for name, replica in self.replicas.items():
            messages[name] = replica.standby.reads(replica.sender.run(flushed[replica.upstream], end))
            moved[name] = replica.standby.run(messages[name], end)
            self._refuse_what_parts(name, messages[name], moved[name], end)
            batches = moved[name].batches
            flushed[name] = Flushed(batches.flushed, batches.position)
        replies = {name: moved[name].replies for name in self.answers.candidates}
        answered = self.answers.run(flushes, replies, complete=last)
        self._refuse_what_binds(answered, horizon, last=last)
        self.log.drop(
            self.answers.row, min((each.standby.place for each in self.replicas.values()), default=self.log.end)
        )
        return Chunk(answered, flushes, messages, moved)

    def _refuse_what_parts(self, name: str, messages: Messages, moved: Moved, end: int) -> None:
        """Raise `UnsupportedScenario` if one end of a standby's connection may give up the other."""
        replica = self.replicas[name]
        for node, peer, waits, heard, setting in (
            (replica.upstream, name, replica.sender_waits, moved.replies.time, "wal_sender_timeout"),
            (name, replica.upstream, replica.standby_waits, messages.arrival, "wal_receiver_timeout"),
        ):
            when = waits.gives_up(heard, end)
            if when <= self.scenario.duration:
                raise UnsupportedScenario(
                    f"{node} hears nothing from {peer} for {setting}, and may give it up at {format_duration(when)}"
                )

    def _refuse_what_binds(self, answered: Answered, horizon: int, *, last: bool) -> None:
        """Raise `UnsupportedScenario` if work has waited for a connection: from there on, answers feed back."""
        assert self.log.rows is not None
        open_from = self.answers.row - self.log.first
        rest = self.log.rows.inserted[open_from:]
        until = NEVER if last else int(rest[0]) if len(rest) else horizon
        for place, (group, pool) in enumerate(zip(self.intake.groups, self.pools, strict=True)):
            mine = answered.rows.group == place
            when = pool.binds(group.submitted, answered.acknowledged[mine], answered.rows.way[mine], until)
            if when is not None:
                kind, _, name = group.name.partition(":")
                raise UnsupportedScenario(
                    f"{kind} {name} runs out of its {group.connections} connections at {format_duration(when)}"
                )
