"""The ways of reads once more, read by read: what the arrays are held against.

Reads are taken in the order of their issue.  Each one's way is followed step by step by looking at every commit, with
the record's positions for a future that is known.  Nothing here is fast.
"""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals
from replsim.record import ACKNOWLEDGED, Record
from replsim.rules.routing import Route
from replsim.scenario.clients import Reader, Session
from replsim.scenario.topology import client_ways
from replsim.units import NEVER, SECOND

__all__ = ["plain_reads"]


class Due(NamedTuple):
    """A read that is about to be issued."""

    time: int
    user: int
    place: int
    """Among the reads of its user: in the order of the user's writes, then of the reads after each."""
    number: int
    """Which draws it takes."""
    left: int
    """Reads that follow it."""


class World:
    """What a record says of any moment."""

    def __init__(self, record: Record) -> None:
        self.record = record
        log = record.commits.where(record.commits["lsn"] < NEVER)
        self.log = [dict(zip(log, row, strict=True)) for row in zip(*(log[name].tolist() for name in log), strict=True)]
        self.applied = {
            name: [int(record.position(name, "apply").crossing(row["lsn"])) for row in self.log]
            for name in record.scenario.standbys
        }

    def seen(self, node: str, time: int) -> int:
        """One more than the newest commit that a look shows."""
        times = self.applied[node] if node in self.applied else [row["visible"] for row in self.log]
        return max((i + 1 for i, at in enumerate(times) if at <= time), default=0)

    def lag(self, node: str, time: int) -> tuple[int, int]:
        """How far a node is behind, in nanoseconds and in bytes."""
        if node not in self.applied:
            return 0, 0
        missing = [row["flushed"] for row, at in zip(self.log, self.applied[node], strict=True) if at > time]
        here, there = self.record.position("p", "flush").at(time), self.record.position(node, "apply").at(time)
        return max([0, *(time - at for at in missing)]), int(here - there)

    def told(self, row: dict[str, int]) -> int:
        """When a commit was acknowledged to its client."""
        return row["acknowledged"] if row["outcome"] == ACKNOWLEDGED else NEVER


def plain_reads(record: Record) -> dict[str, list[dict[str, Any]]]:
    """By reader and session group: the facts of its reads, in the order of their issue."""
    world, scenario = World(record), record.scenario
    found: dict[str, list[dict[str, Any]]] = {}
    for name, reader in scenario.readers.items():
        times = arrivals(Streams(record.seed), f"reader:{name}:arrivals", reader, scenario.duration)
        dues = [Due(time, -1, k, k, 0) for k, time in enumerate(times.tolist())]
        found[name] = Group(world, name, reader).follow(dues)
    for name, session in scenario.sessions.items():
        group = Group(world, name, session)
        found[name] = group.follow(group.after_writes())
    return found


class Group:
    """One reader or session group."""

    def __init__(self, world: World, name: str, client: Reader | Session) -> None:
        self.world, self.client = world, client
        self.kind = "session" if isinstance(client, Session) else "reader"
        self.stream = f"{self.kind}:{name}"
        self.scenario = world.record.scenario
        self.end = self.scenario.duration
        self.nodes = client.route.nodes("p", tuple(self.scenario.standbys))
        words = self.scenario.sessions
        code = len(self.scenario.writers) + list(words).index(name) if name in words else -1
        self.writes = [
            (i + 1, row["client"], world.told(row)) for i, row in enumerate(world.log) if row["writer"] == code
        ]
        self.answers: list[tuple[int, int, int, int]] = []
        """Of each read that is over: its user, its answer's time, its issue and what it saw."""

    def draw(self, stream: str, law: Any, number: int) -> int:
        """Draw ``number`` of a stream."""
        return int(Streams(self.world.record.seed).draws(f"{self.stream}:{stream}", law).block(number + 1)[-1])

    def uniform(self, stream: str, number: int) -> float:
        """Uniform ``number`` of a stream."""
        return float(Streams(self.world.record.seed).uniforms(f"{self.stream}:{stream}").block(number + 1)[-1])

    def way(self, node: str, word: str, number: int, attempt: int) -> int:
        """Nanoseconds to a node (``network``) or back."""
        law = client_ways(self.scenario, self.client, node)
        again = "" if attempt == 1 else f":{attempt}"
        return self.draw(word + again, law.out if word == "network" else law.back, number)

    def after_writes(self) -> list[Due]:
        """The first read after each write that was acknowledged within the run."""
        session, commits = self.client, self.world.record.commits
        assert isinstance(session, Session)
        code = commits.words["writer"].index(self.stream.removeprefix("session:"))
        mine = [i for i in range(len(commits)) if commits["writer"][i] == code]
        dues = []
        for user in range(session.count):
            rows = sorted((i for i in mine if commits["client"][i] == user), key=lambda i: commits["submitted"][i])
            for nth, i in enumerate(rows):
                told = int(commits["acknowledged"][i]) if commits["outcome"][i] == ACKNOWLEDGED else NEVER
                if told < self.end:
                    number = (nth * session.count + user) * session.reads
                    pause = self.draw("read_after", session.read_after, number)
                    dues.append(Due(told + pause, user, nth * session.reads, number, session.reads - 1))
        return dues

    def follow(self, dues: list[Due]) -> list[dict[str, Any]]:
        """Every read, one after the other."""
        heapq.heapify(dues)
        rows = []
        while dues and dues[0].time < self.end:
            due = heapq.heappop(dues)
            row = self.read(due)
            rows.append(row)
            if row["answered"] == NEVER:
                continue
            self.answers.append((due.user, row["answered"], due.time, row["seen"]))
            if due.left:
                assert isinstance(self.client, Session)
                after = row["answered"] + self.draw("read_after", self.client.read_after, due.number + 1)
                heapq.heappush(dues, Due(after, due.user, due.place + 1, due.number + 1, due.left - 1))
        return rows

    def read(self, due: Due) -> dict[str, Any]:
        """One read's way."""
        client, world, number = self.client, self.world, due.number
        policy, node = self.choose(due)
        row = {"time": due.time, "session": due.user, "tries": 1, "waited": 0, "timed_out": False}
        at = due.time + self.way(node, "network", number, 1)
        arrived = looked = at
        token = self.token(due) if client.promises else 0
        behind = world.seen(node, at) < token and node != "p"
        if behind and client.by == "wait":
            ready = [t for t in sorted(world.applied[node]) if world.seen(node, t) >= token and t < NEVER]
            limit = at + client.timeout
            if ready and ready[0] <= limit:
                looked = ready[0]
                row["waited"] = looked - at
            elif not ready and limit > self.end:
                looked = max(self.end, at)
                row |= {"waited": looked - at, "answered": NEVER}
            else:
                looked = limit
                row |= {"waited": client.timeout, "timed_out": True}
                if client.at_timeout == "primary":
                    back = looked + self.way(node, "network_back", number, 1)
                    node, row["tries"] = "p", 2
                    arrived = looked = back + self.way(node, "network", number, 2)
        elif behind:
            others = list(self.nodes)
            others = others[others.index(node) + 1 :] + others[: others.index(node)]
            for attempt, following in enumerate([*(others if client.by == "another" else []), "p"], 1):
                back = looked + self.way(node, "network_back", number, attempt)
                node, row["tries"] = following, attempt + 1
                arrived = looked = back + self.way(node, "network", number, attempt + 1)
                if node == "p" or world.seen(node, looked) >= token:
                    break
        row.setdefault("answered", looked + self.way(node, "network_back", number, row["tries"]))
        seen = world.seen(node, looked)
        row |= {"arrived": arrived, "looked": looked, "node": self.scenario.nodes.index(node), "seen": seen}
        row["saw"] = world.log[seen - 1]["lsn"] if seen else 0
        row["diverted"] = node == "p" and policy != "p"
        row["own"] = self.written(due) <= seen
        row["back"] = self.most_read(due) > seen
        judged = {
            "none": True,
            "read_your_writes": row["own"],
            "monotonic_reads": not row["back"],
            "causal": row["own"] and not row["back"],
            "bounded_staleness": self.known(due.time - (client.bound or 0)) <= seen,
        }
        row["kept"] = judged[client.guarantee] or row["answered"] == NEVER
        return row

    def choose(self, due: Due) -> tuple[str | None, str]:
        """What the policy chooses (None: nobody), and where the read goes."""
        route, nodes = self.client.route, list(self.nodes)
        poll = route.poll or SECOND
        lags = {node: self.world.lag(node, due.time // poll * poll) for node in nodes}
        near = [
            node
            for node in nodes
            if (route.max_lag is None or lags[node][0] <= route.max_lag)
            and (route.max_lag_bytes is None or lags[node][1] <= route.max_lag_bytes)
        ]
        chosen = self.policy(route, due, near, {node: lags[node][1] for node in nodes})
        after = route.primary_after_write
        last = max((told for _, user, told in self.writes if user == due.user and told <= due.time), default=None)
        if after is not None and last is not None and due.time - last < after:
            return None, "p"
        if route.until_caught_up is not None:
            asked = [chosen or "p"] if route.until_caught_up == "chosen" else [n for n in nodes if n != "p"]
            caught = [self.world.seen(node, due.time) >= self.written(due) for node in asked]
            if asked and not (any(caught) if route.until_caught_up == "any" else all(caught)):
                return None, "p"
        return chosen, chosen or "p"

    def policy(self, route: Route, due: Due, near: list[str], behind: dict[str, int]) -> str | None:
        """The policy's own choice among the nodes that are near enough."""
        stream = "read_route" if self.kind == "session" else "route"
        if route.policy == "per_session":
            home = self.nodes[int(self.uniform("home", due.user) * len(self.nodes))]
            return home if home in near else None
        if not near:
            return None
        if route.policy == "round_robin":
            return near[due.number % len(near)]
        if route.policy == "least_lag":
            near = [node for node in near if behind[node] == min(behind[other] for other in near)]
        if route.policy in ("random", "least_lag"):
            return near[int(self.uniform(stream, due.number) * len(near))]
        if route.policy == "weighted":
            assert route.weighted is not None
            weights, u = [route.weighted[node] for node in near], self.uniform(stream, due.number)
            return next(
                node for i, node in enumerate(near) if u < sum(weights[: i + 1]) / sum(weights) or i == len(near) - 1
            )
        if route.policy == "nearest":
            return min(near, key=lambda node: client_ways(self.scenario, self.client, node).out.mean)
        return near[0]

    def written(self, due: Due) -> int:
        """The user's newest write that had been acknowledged."""
        return max((row for row, user, told in self.writes if user == due.user and told <= due.time), default=0)

    def known(self, time: int) -> int:
        """The newest commit that had been acknowledged to anybody."""
        return max((i + 1 for i, row in enumerate(self.world.log) if self.world.told(row) <= time), default=0)

    def most_read(self, due: Due) -> int:
        """The most that the user's reads had seen which were answered when this one was issued."""
        if due.user < 0:
            return 0
        return max((seen for user, told, _, seen in self.answers if user == due.user and told <= due.time), default=0)

    def token(self, due: Due) -> int:
        """Up to where the read must see the log."""
        parts = {
            "read_your_writes": [self.written(due)],
            "monotonic_reads": [self.most_read(due)],
            "causal": [self.written(due), self.most_read(due)],
            "bounded_staleness": [self.known(due.time - (self.client.bound or 0))],
        }
        return max(parts[self.client.guarantee])
