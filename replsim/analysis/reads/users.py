"""The reads of users, who remember what they wrote and what they read.

What a user's earlier reads saw decides what its later ones wait for.  Those are worked out from a guess (that nothing
was read before), and again with what came out, until nothing changes.  Each round settles at least the earliest read
of a user that was still wrong, because a read depends on earlier ones only; and only users that change are worked out
again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.reads.capacity import Turns
from replsim.analysis.reads.groups import Looks
from replsim.analysis.reads.history import History
from replsim.analysis.reads.views import Views
from replsim.analysis.reads.walk import Router, Walk
from replsim.randomness import Streams
from replsim.randomness.trips import SessionLuck
from replsim.record import answered
from replsim.scenario.clients import Session
from replsim.units import NEVER

__all__ = ["Flow", "Rounds", "Users"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Rounds(NamedTuple):
    """Users' writes, each with the reads that follow it: one row a write."""

    row: Ints
    """The write's row among all commits."""
    user: Ints
    nth: Ints
    """The number of its user's writes before it, in the order of submission: it chooses the draws of its reads."""
    told: Ints
    """When its acknowledgement came; `NEVER` where none did by the run's end, so that no reads follow."""

    @classmethod
    def of(cls, facts: Facts, name: str) -> Rounds:
        """All writes of a session group."""
        commits = facts.record.commits
        mine = np.flatnonzero(facts.of_writer(name))
        user = commits["client"][mine].astype(np.int64)
        attempt = commits["attempt"][mine] if "attempt" in commits else np.zeros(len(mine), dtype=np.int16)
        order = np.lexsort((attempt, commits["submitted"][mine], user))
        mine, user, write = mine[order], user[order], np.cumsum(attempt[order] == 0)
        firsts = np.flatnonzero(np.diff(user, prepend=-1))
        nth = write - np.repeat(write[firsts], np.diff(np.append(firsts, len(mine))))
        told = np.where(answered(commits["outcome"][mine]), commits["acknowledged"][mine], NEVER)
        return cls(mine, user, nth, told)

    def where(self, chosen: Ints | Bools) -> Rounds:
        """Some of them."""
        return Rounds(*(column[chosen] for column in self))


@dataclass(slots=True, eq=False)
class Flow:
    """Reads of rounds: a row a round, a column a read."""

    issued: Ints
    walk: Walk
    seen: Ints
    """One more than the newest commit that each saw; worked out only where promises need it."""

    def put(self, rows: Ints, others: Flow) -> None:
        """Replace the reads of some rounds."""
        self.issued[rows], self.seen[rows] = others.issued, others.seen
        self.walk.put(rows, others.walk)


class Users:
    """One session group's users."""

    def __init__(self, views: Views, streams: Streams, name: str, session: Session) -> None:
        self.stream = f"session:{name}"
        self._views = views
        self._session = session
        self._router = Router(views.facts.record.scenario, session, views)
        rounds = Rounds.of(views.facts, name)
        total = int(rounds.nth.max(initial=-1)) + 1
        law = SessionLuck(streams, name, session, self._router.ways, attempts=self._router.attempts)
        self._pauses, self._luck = law.block(total)
        self._u = self._luck.route
        if session.route.policy == "per_session":
            home = streams.uniforms(f"session:{name}:home").block(session.count)
            self._u = np.tile(np.repeat(home, session.reads), total)
        done = rounds.where(rounds.told < NEVER)
        self._told = History(done.user, done.told, done.told)
        self._written = History(done.user, done.told, done.row + 1)
        self._end = views.facts.record.scenario.duration
        self.rounds = rounds.where(rounds.told < self._end)
        """The writes that reads follow."""
        self._first = (self.rounds.nth * session.count + self.rounds.user) * session.reads
        self.numbers = (self._first[:, None] + np.arange(session.reads)).ravel()
        """Which draws the reads of these rounds take, one after the other."""

    def follow(self, turns: Turns | None) -> tuple[Ints, Walk]:
        """The reads of all rounds, one round after the other."""
        where = np.arange(len(self.rounds.row))
        tokens = np.zeros((len(where), self._session.reads), dtype=np.int64)
        flow = part = self._pass(where, tokens, turns)
        if self._session.guarantee in ("monotonic_reads", "causal"):
            while (wrong := ((known := self._known(where, part)) != tokens).any(axis=1)).any():
                mine = np.isin(self.rounds.user[where], self.rounds.user[where[wrong]])
                where, tokens = where[mine], known[mine]
                part = self._pass(where, tokens, turns)
                flow.put(where, part)
        return flow.issued.ravel(), flow.walk.ravel()

    def looks(self, issued: Ints, walk: Walk) -> Looks:
        """What the reads within the run saw that went these ways, in order of issue, and of rounds at one moment."""
        within = np.flatnonzero(issued < self._end)
        within = within[np.argsort(issued[within], kind="stable")]
        rounds = self.rounds.where(within // self._session.reads)
        walk = walk.where(within)
        key = self._views.facts.record.commits["key"][rounds.row].astype(np.int64)
        return Looks(issued[within], walk, rounds.user, key, *self._views.looked(walk.node, walk.looked))

    def _known(self, where: Ints, flow: Flow) -> Ints:
        """The most that each read's user had seen, in reads that were answered when it was issued."""
        rounds, reads = self.rounds.where(where), self._session.reads
        user = np.repeat(rounds.user, reads)
        place = (rounds.nth[:, None] * reads + np.arange(reads)).ravel()
        issued, answered, seen = flow.issued.ravel(), flow.walk.answered.ravel(), flow.seen.ravel()
        order = np.empty(len(issued), dtype=np.int64)
        order[np.lexsort((place, issued))] = np.arange(len(issued))
        real = (issued < self._end) & (answered < NEVER)
        history = History(user[real], answered[real], seen[real], order[real], room=len(issued) + 1)
        return history.most(user, issued, order).reshape(flow.issued.shape)

    def _pass(self, where: Ints, tokens: Ints, turns: Turns | None) -> Flow:
        """The reads of some rounds, given the most that their users had seen in reads before each."""
        rounds, session, router = self.rounds.where(where), self._session, self._router
        first = self._first[where]
        before = rounds.told
        most = np.zeros(len(before), dtype=np.int64)
        issues, walks, seens = [], [], []
        for i in range(session.reads):
            rows = first + i
            issued = np.minimum(before, NEVER // 2) + self._pauses[rows]
            place = router.choose(issued, rows, self._u[rows])
            if session.route.looks_at_writes:
                written = self._written.most(rounds.user, issued)
                place = router.after_write(place, issued, self._told.most(rounds.user, issued), written)
            most = np.maximum(most, tokens[:, i])
            walk = router.walk(self._luck, rows, issued, place, self._token(rounds.user, issued, most))
            if turns is not None:
                walk.take_turns(*(column[where * session.reads + i] for column in turns))
            seen = most
            if session.promises:
                seen = self._views.seen(walk.node, walk.looked)
                most = np.maximum(most, seen)
            issues.append(issued)
            walks.append(walk)
            seens.append(seen)
            before = walk.answered
        return Flow(np.stack(issues, axis=1), Walk.rows(walks), np.stack(seens, axis=1))

    def _token(self, user: Ints, issued: Ints, read: Ints) -> Ints | None:
        """Up to where reads issued at these times must see the log."""
        guarantee = self._session.guarantee
        if guarantee == "none":
            return None
        none = np.zeros(len(user), dtype=np.int64)
        written = self._written.most(user, issued) if guarantee in ("read_your_writes", "causal") else none
        bounded = none
        if self._session.bound is not None:
            acknowledged = self._views.acknowledged
            bounded = acknowledged.newest(acknowledged.by(issued - self._session.bound))
        return self._session.token(written, read, bounded)
