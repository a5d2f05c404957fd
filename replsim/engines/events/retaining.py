"""What each node keeps of the WAL: checkpoints remove it, slots hold it, and a disk may be too small for it."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from replsim.engines.events.agenda import Rank
from replsim.engines.events.crashes import crash, restart
from replsim.rules.retention import Retention
from replsim.scenario.failover import Patroni
from replsim.scenario.faults import Crash
from replsim.scenario.retention import devices, retention_matters, retention_of

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.connection import Connection
    from replsim.engines.events.log import Log
    from replsim.engines.events.node import Node
    from replsim.engines.events.reign import Reign

__all__ = ["Kept", "Retaining"]

BACKUP: Final = "backup of "
"""What the temporary slot of a base backup is called, before the name of the node that is rebuilt."""


class Kept:
    """What one node keeps."""

    def __init__(self) -> None:
        self.oldest = 0
        """The first position that it still has."""
        self.slots: dict[str, int] = {}
        """By standby: where its slot begins as long as it has reported nothing."""
        self.invalid: set[str] = set()
        """The standbys whose slots are invalid until they connect again."""
        self.branches = array("q", [0])
        """The branch, the time and the position of each step of `oldest`."""
        self.times = array("q", [0])
        self.positions = array("q", [0])


class Retaining:
    """Checkpoints of a primary and restartpoints of its standbys, and what they remove.

    Source: PostgreSQL ``xlog.c:CreateCheckPoint`` and ``CreateRestartPoint``.  A checkpoint's redo point is where the
    WAL is when it begins; when it is done, spread over its ``completion_target``, it writes its record, invalidates
    slots that are too far behind and removes what nobody needs.  A standby does the same at the same moments with the
    last checkpoint whose record it has replayed by the beginning.  A primary that has recovered from a crash makes a
    checkpoint at once; after a promotion the next one comes at its time.

    Simplification: a redo point is the flushed position, not the inserted one.
    """

    def __init__(self, cluster: Cluster) -> None:
        scenario = cluster.scenario
        self._cluster = cluster
        self.active = any(True for _ in retention_matters(scenario))
        """Whether it can matter to anybody; if not, nothing is done, and analysis works out what is kept."""
        self.rule: Retention = retention_of(scenario)
        self._devices = devices(scenario)
        manager = scenario.failover
        self._patroni = manager if isinstance(manager, Patroni) and manager.use_slots else None
        self.kept = {name: Kept() for name in scenario.nodes}
        for name, standby in scenario.standbys.items():
            if standby.slot:
                self.kept[scenario.upstream(name)].slots[name] = 0

    def start(self) -> None:
        """The first checkpoint is due after ``every``."""
        checkpoints = self._cluster.scenario.primary.checkpoints
        if not self.active or checkpoints is None:
            return
        every, spread = checkpoints.every, round(checkpoints.completion_target * checkpoints.every)

        def begin(now: int) -> None:
            self._cluster.agenda.at(now + every, Rank.CHECKPOINT, 0, begin)
            for node in self._cluster.nodes.values():
                if node.up:
                    self._begin(node, now, spread)

        self._cluster.agenda.at(every, Rank.CHECKPOINT, 0, begin)

    def holds(self, upstream: Node, position: int) -> bool:
        """Whether a node still has all that a standby at ``position`` lacks."""
        return not self.active or position >= self.kept[upstream.name].oldest

    def reigns(self, node: Node, reign: Reign) -> None:
        """A node is the primary from now on; one that was it before has recovered from a crash."""
        if not self.active:
            return
        if self._recovered(reign):
            reign.log.checkpoints.append((reign.start, reign.start))
            self._remove(node, reign.start, reign.began)
        self._guard(node)

    def connects(self, connection: Connection) -> None:
        """A standby streams: what was held for its base backup is held by its slot, if it has one (again)."""
        if not self.active:
            return
        kept, name = self.kept[connection.upstream.name], connection.standby.name
        kept.slots.pop(BACKUP + name, None)
        if name in kept.invalid:
            kept.invalid.discard(name)
            if self._patroni is None:
                kept.slots[name] = connection.sender.sent
        self._guard(connection.standby)

    def copies(self, node: Node, source: Node, position: int) -> None:
        """A base backup begins: its source keeps all from ``position`` on, as ``pg_basebackup``'s own slot does."""
        self.kept[source.name].slots[BACKUP + node.name] = position

    def begins_anew(self, node: Node, now: int, position: int, *, copied: bool) -> None:
        """A node is a base backup that begins at ``position`` (``copied``), or was rewound to there.

        Slots are not among what is copied.  What a rewound node lacks of what comes before, it copies with the rest.
        """
        kept = self.kept[node.name]
        kept.slots.clear()
        kept.invalid.clear()
        first = position // self.rule.segment * self.rule.segment
        if node.log.branch == kept.branches[-1]:
            first = max(first, kept.oldest)
        elif not copied:
            first = min(first, kept.oldest)
        self._step(node, first, now)

    def _recovered(self, reign: Reign) -> bool:
        """Whether it goes on after a crash, in its own timeline."""
        branches = self._cluster.branches
        branch = branches[reign.log.branch]
        return branch.parent >= 0 and branches[branch.parent].timeline == branch.timeline

    def _begin(self, node: Node, now: int, spread: int) -> None:
        life = node.reign or node.following
        assert life is not None
        if node.reign is not None:
            redo = node.reign.primary.flushed
        else:
            assert node.following is not None
            replayed = node.following.replay.position(now)
            redo = _redo(life.log, replayed)

        def done(time: int) -> None:
            if life is not (node.reign or node.following):
                return
            if node.reign is not None:
                life.log.checkpoints.append((node.flushed, redo))
            self._remove(node, redo, time)

        node.agenda.at(now + spread, Rank.CHECKPOINT, node.place, done)

    def _remove(self, node: Node, redo: int, now: int) -> None:
        kept = self.kept[node.name]
        slots = {name: self._told(node, name, now) for name in self._slots(node, now)}
        oldest, invalid = self.rule.checkpoint(node.flushed, redo, slots)
        kept.invalid.update(invalid)
        for name in invalid:
            kept.slots.pop(name, None)
            self._cluster.note(now, name.removeprefix(BACKUP), "slot invalidated")
        self._step(node, max(oldest, kept.oldest), now)
        for connection in self._cluster.connections:
            # A walsender whose slot is invalidated is ended, and one that comes to a file that is gone fails.
            ends = connection.standby.name in invalid or connection.sender.sent < kept.oldest
            if ends and connection.upstream is node and not connection.closed:
                connection.upstream_closes(now)
        self._guard(node)

    def _step(self, node: Node, oldest: int, now: int) -> None:
        kept, life = self.kept[node.name], node.reign or node.following
        kept.oldest = oldest
        kept.branches.append(node.log.branch if life is None else life.log.branch)
        kept.times.append(now)
        kept.positions.append(oldest)

    def _slots(self, node: Node, now: int) -> list[str]:
        """The standbys for which a node has slots.

        Patroni makes them for the members of its cluster, on every node that may become the leader (since 4.0, and
        PostgreSQL 11), and drops that of a member that has not been there for ``member_slots_ttl``.
        """
        kept, manager = self.kept[node.name], self._patroni
        if manager is None:
            return list(kept.slots)
        leader, patience = self._cluster.succession.leader, manager.ttl + manager.member_slots_ttl
        members = [
            name
            for name, each in self._cluster.nodes.items()
            if each not in (node, leader) and not (each.gone and now - each.down_since > patience)
        ]
        backups = [name for name in kept.slots if name.startswith(BACKUP)]
        return [name for name in members if name not in kept.invalid] + backups

    def _told(self, node: Node, standby: str, now: int) -> int:
        """The position that a slot asks to be kept from: the flush that its standby last reported.

        Patroni moves the slots on the other nodes to where the leader's are, at each of its looks (here: at once).
        """
        for connection in reversed(self._cluster.connections):
            here = connection.upstream is node or self._patroni is not None
            if here and connection.standby.name == standby:
                if not (connection.lost or connection.closed):
                    connection.receiver.finish(now)
                told = connection.uplink.flushed_by(now)
                if told >= 0:
                    return told
        return self.kept[node.name].slots.get(standby, self.kept[node.name].oldest)

    def _guard(self, node: Node) -> None:
        """Tell whoever writes WAL on a node how far there is room."""
        size = self._devices[node.name].size
        if size is None:
            return
        following = node.following
        writer = (
            node.reign.primary
            if node.reign is not None
            else following.connection.receiver
            if following is not None and following.connection is not None
            else None
        )
        if writer is not None:
            writer.room_until = self.rule.full_beyond(self.kept[node.name].oldest, size)
            writer.out_of_room = lambda now: self._full(node, now)

    def _full(self, node: Node, now: int) -> None:
        """There is no room for the next file of WAL.

        Source: PostgreSQL ``xlog.c:XLogFileInitInternal``: the error is raised in a critical section, so it is a PANIC;
        recovery then fails for the same reason and the server stays down.  Measured on PostgreSQL 15: PANIC, an
        automatic recovery that replays all and ends in "No space left on device", "shutting down due to startup process
        failure"; after the disk was enlarged it started, and after its slot was dropped a checkpoint removed the WAL.
        """
        cluster = self._cluster
        cluster.note(now, node.name, "disk full")
        panic = Crash.model_validate({"at": "0s", "crash": node.name, "of": "process"})
        crash(cluster, node, panic, now)
        cleared_after = self._devices[node.name].cleared_after
        if cleared_after is None:
            return

        def cleared(time: int) -> None:
            cluster.note(time, node.name, "disk cleared")
            for name in self._slots(node, time):
                standby = cluster.nodes.get(name)
                if standby is None or cluster.mute(standby, node, time):
                    self.kept[node.name].slots.pop(name, None)
                    self.kept[node.name].invalid.add(name)
            restart(cluster, node, time)
            if node.following is not None:
                self._remove(node, _redo(node.following.log, node.flushed), time)

        cluster.agenda.at(now + cleared_after, Rank.FAULT, 0, cleared)


def _redo(log: Log, replayed: int) -> int:
    """The redo point of the last checkpoint whose record has been replayed."""
    return max((redo for record, redo in log.checkpoints if record <= replayed), default=0)
