"""Who reigns: a primary dies or is deposed, comes back, or a standby takes its place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from replsim.engines.events.agenda import Rank
from replsim.engines.events.clients import Step
from replsim.engines.events.following import Following
from replsim.engines.events.log import Log
from replsim.engines.events.reign import Reign
from replsim.engines.events.stranded import Stranded
from replsim.record import Branch
from replsim.record.branch import shared
from replsim.scenario.topology import link_between
from replsim.units import NEVER, SECOND

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.node import Node

__all__ = ["Succession"]

SOON: Final = SECOND // 1000
"""When a standby that still flushes what it has received looks again."""
LEARNS: Final = SECOND
"""How often a primary that nobody fenced looks whether it has been replaced."""


class Succession:
    """The order of the reigns, and which of them the clients write to."""

    def __init__(self, cluster: Cluster, leader: Node, reign: Reign) -> None:
        self._cluster = cluster
        self.leader = leader
        """The node that reigns by right: the last that was promoted, whether it is up or not."""
        self.promoting: Node | None = None
        self._left: str | None = None
        """Whom the one that is being promoted streamed from."""
        self.serving: Reign | None = reign
        """Whom the clients write to."""
        self.stranded = Stranded(cluster.groups)
        failover, streams = cluster.scenario.failover, cluster.streams
        self._rejoin = failover.rejoin
        self._fencing = failover.fencing
        self._promotion = streams.draws("failover:promotion", failover.promotion).next
        self._routing = streams.draws("failover:routing", failover.routing).next
        self._rewind = streams.draws("failover:rewind", failover.rejoin.rewind).next

    def remaining(self, until: int) -> list[Step]:
        """What was submitted by ``until``, has reached no log, and has not failed."""
        self.stranded.fail_until(until)
        left = [step for reign in self._cluster.reigns for step in reign.transactions.remaining(until)]
        left += self.stranded.remaining(until)
        left += [step for group in self._cluster.groups for step in group.waiting(until)]
        return sorted(left, key=lambda step: (step.submitted, *step))

    def submit(self, step: Step, before: int) -> None:
        """A client goes on with a new transaction, wherever it may; the one before it was submitted at ``before``."""
        if self.serving is None:
            self.stranded.add([step])
        else:
            self.serving.transactions.add(step, before)
            self.serving.primary.expect_inserts()

    def falls(self, node: Node, now: int) -> None:
        """A reign ends at once: the WAL that was not flushed is gone, and every connection of a client is broken."""
        reign = node.reign
        assert reign is not None
        if self.promoting is node:
            # It shut down so that another takes over, and does not get there.
            self.promoting = None
        reign.primary.attend(now)
        reign.ended = now
        node.kept, node.log = reign.primary.flushed, reign.log
        self.dismiss(reign, now)

    def dismiss(self, reign: Reign, now: int) -> None:
        """Every connection of a client to a primary is broken."""
        if reign.dismissed:
            return
        reign.dismissed = True
        coming, under_way = reign.transactions.leave(now)
        unanswered = reign.abandon(now)
        if self.serving is reign:
            self.serving = None
        self.stranded.add(coming)
        for step in under_way:
            self.stranded.fail(step, now)
        for step in unanswered:
            self.stranded.give_up(step, now)
        if self.serving is not None:
            self.serving.join(self.stranded.leave(now))

    def returns(self, node: Node, now: int) -> None:
        """A node is up again, with what was on its disk: as the primary if nobody took its place, else as a standby."""
        cluster = self._cluster
        node.begin_life(cluster.agenda)
        node.gone = node.agent = node.deposed = False
        if node is self.leader and self.promoting is None:
            reign = self._reign(node, node.log, node.kept, cluster.branches[-1].timeline, now)
            self._serve(reign, now)
        elif node is self.leader or self._foreign(node):
            self._rejoins(node, now)
        else:
            cluster.follow(node, node.log, start=node.kept, now=now)
            cluster.reconnecting.begin(node, now)

    def elevate(self, node: Node, now: int) -> None:
        """A node shall reign: a standby is promoted, a primary that was stopped and not replaced goes on."""
        if node.deposed and node is self.leader:
            self.returns(node, now)
        else:
            self.promote(node, now)

    def promote(self, node: Node, now: int) -> None:
        """A standby takes over: it ends its connection, replays all that it has received, and opens for writes.

        Source: PostgreSQL ``xlogrecovery.c:CheckForStandbyTrigger``; the WAL received is replayed before the end.
        """
        following = node.following
        if following is None or self.promoting is not None:
            return
        self.promoting, self._left = node, node.upstream
        node.upstream = None
        self._cluster.note(now, node.name, "promoting")
        if following.connection is not None:
            following.connection.standby_closes(now)

        def replay(time: int) -> None:
            if node.following is not following:
                return
            if not following.settled:
                node.agenda.at(time + SOON, Rank.MANAGER, node.place, replay)
                return
            # Promotion breaks recovery_min_apply_delay.
            delayed = self._cluster.standby_settings(node.name).recovery_min_apply_delay
            done = time if delayed else max(time, following.replay.free)
            node.agenda.at(done + self._promotion(), Rank.MANAGER, node.place, opens)

        def opens(time: int) -> None:
            if node.following is following:
                self._opens(node, following, time)

        node.agenda.at(now, Rank.MANAGER, node.place, replay)

    def dies(self, node: Node) -> None:
        """A node is gone; if it was about to take over, somebody else may, and it is to follow again."""
        if self.promoting is node:
            self.promoting = None
            node.upstream = self._left

    def fence(self, node: Node, now: int, what: str = "fenced") -> None:
        """A primary is stopped: it takes no more writes, and joins the new one as soon as it may."""
        if node.reign is None:
            return
        self._cluster.note(now, node.name, what)
        resumes = node.agenda.ready(now)
        self.falls(node, now)
        for connection in self._cluster.connections:
            if connection.upstream is node:
                connection.upstream_dies(now, told=True, arrives=True)
        node.end_life()
        node.begin_life(self._cluster.agenda, resumes)
        node.deposed = True

    def diverged(self, node: Node, upstream: Node) -> bool:
        """Whether a standby holds WAL that is not in its upstream's history."""
        cluster = self._cluster
        assert node.following is not None
        same = shared(cluster.branches, node.following.log.branch, cluster.log_of(upstream).branch)
        return node.following.flushed > same

    def realign(self, node: Node, now: int) -> None:
        """A standby that holds WAL which the new primary does not have must be rewound or rebuilt as well."""
        assert node.following is not None
        following = node.following
        following.ended = now
        node.kept, node.log = following.flushed, following.log
        node.end_life()
        node.begin_life(self._cluster.agenda)
        self._rejoins(node, now)

    def _opens(self, node: Node, following: Following, now: int) -> None:
        cluster, old = self._cluster, self.leader
        position = following.flushed
        following.ended, node.following = now, None
        timeline = max(branch.timeline for branch in cluster.branches) + 1
        # Without a link to the new leader a standby of the old one stays that, and becomes a cascade.
        followers = [
            each
            for each in cluster.nodes.values()
            if each is not node and each.upstream == old.name and link_between(cluster.scenario, node.name, each.name)
        ]
        self.leader, self.promoting = node, None
        for each in (*followers, old):
            each.upstream = node.name
        reign = self._reign(node, following.log, position, timeline, now)
        cluster.note(now, node.name, "promoted")
        for connection in cluster.connections:
            if connection.upstream is node and not connection.closed:
                connection.upstream_closes(now)
        for each in followers:
            if each.following is not None and each.following.connection is not None:
                each.following.connection.standby_closes(now)
        if old.reign is not None and self._fencing:
            self.fence(old, now)
        if old.deposed:
            self._rejoins(old, now)
        elif old.reign is not None:
            old.agenda.at(now + LEARNS, Rank.MANAGER, old.place, lambda time: self._learns(old, time))
        cluster.agenda.at(now + self._routing(), Rank.MANAGER, node.place, lambda time: self._serve(reign, time))

    def _learns(self, old: Node, now: int) -> None:
        """A primary that was not fenced meets the new one as soon as something comes through between them."""
        if old.reign is None or self.leader is old:
            return
        cluster, leader = self._cluster, self.leader
        if leader.up and not cluster.mute(leader, old, now) and self.serving is not old.reign:
            self.fence(old, now, "learns of the new primary")
            self._rejoins(old, now)
        else:
            old.agenda.at(now + LEARNS, Rank.MANAGER, old.place, lambda time: self._learns(old, time))

    def _serve(self, reign: Reign, now: int) -> None:
        """The clients write to this primary from now on."""
        if reign.ended != NEVER or self.serving is reign:
            return
        before, self.serving = self.serving, reign
        if before is None:
            coming: Iterable[Step] = self.stranded.leave(now)
        else:
            # Its last answers tell when its clients go on elsewhere.
            before.primary.watch(now)
            coming = before.transactions.hand_over(now, reign.join)
        self._cluster.note(now, reign.node.name, "serves the clients")
        every = list(coming)
        for group in self._cluster.groups:
            reign.join(group.led_to(reign.node.name, [step for step in every if step.group == group.index]))

    def _reign(self, node: Node, log: Log, position: int, timeline: int, now: int) -> Reign:
        """A node is the primary from now on, with the log up to ``position``."""
        cluster, scenario = self._cluster, self._cluster.scenario
        place = len(cluster.branches)
        cluster.branches.append(Branch(timeline=timeline, parent=log.branch, fork=position, start=now, node=node.name))
        direct = [name for name, each in cluster.nodes.items() if each.upstream == node.name]
        reign = Reign(
            scenario, node, log.fork(place, position, now), cluster.groups, cluster.rule, direct,
            managed=cluster.managed, start=position, now=now,
        )  # fmt: skip
        for candidate in range(len(reign.release.candidates)):
            reign.release.leave(candidate)
        cluster.reigns.append(reign)
        cluster.enthrone(node, reign)
        cluster.note_rule(node, now)
        reign.open(now)
        return reign

    def _foreign(self, node: Node) -> bool:
        """Whether a node that is down holds WAL that is not in the leader's history."""
        cluster, leader = self._cluster, self.leader
        if not leader.up:
            return False
        return node.kept > shared(cluster.branches, node.log.branch, cluster.log_of(leader).branch)

    def _rejoins(self, node: Node, now: int) -> None:
        """A node that is up but belongs to no history that goes on becomes a standby of the leader."""
        cluster, leader = self._cluster, self.leader
        if self._rejoin.by == "never":
            return
        if not leader.up or node is leader or cluster.cut(leader, node, now):
            node.agenda.at(now + LEARNS, Rank.MANAGER, node.place, lambda time: self._again(node, time))
            return
        same = shared(cluster.branches, node.log.branch, cluster.log_of(leader).branch)
        if node.kept <= same:
            takes, start = 0, node.kept
        elif self._rejoin.by == "rewind":
            cluster.note(now, node.name, "rewinding")
            takes, start = self._rewind(), same
        else:
            cluster.note(now, node.name, "rebuilding")
            takes, start = self._rejoin.data * SECOND // self._rejoin.bandwidth, leader.flushed
            cluster.retention.copies(node, leader, start)

        def follows(time: int) -> None:
            if not leader.up or self.leader is not leader:
                self._rejoins(node, time)
                return
            # Whoever followed the old leader has been told of the new one; a cascade keeps its own upstream.
            node.upstream, node.deposed, node.log = node.upstream or leader.name, False, cluster.log_of(leader)
            if takes:
                cluster.retention.begins_anew(node, time, start, copied=self._rejoin.by == "rebuild")
            cluster.follow(node, cluster.log_of(leader), start=start, now=time)
            cluster.note(time, node.name, "rejoined")
            cluster.reconnecting.begin(node, time)

        node.agenda.at(now + takes, Rank.MANAGER, node.place, follows)

    def _again(self, node: Node, now: int) -> None:
        if not node.up and node is self.leader and self.promoting is None:
            self.returns(node, now)
        elif not node.up:
            self._rejoins(node, now)
