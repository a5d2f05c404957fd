"""Random scenarios of every sort, each from one seed.

Whole features are switched off at random in each scenario, so that what hides behind another has its turn ("swarm
testing", Groce et al. 2012).  Times lie on a grid, so that many things happen at one moment.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import numpy as np
from pydantic import ValidationError

from replsim.rules.acks import LEVELS
from replsim.scenario import Scenario
from tests.swarm.retained import retain

__all__ = ["FEATURES", "random_scenario"]

T = TypeVar("T")

FEATURES: Final = (
    "standbys", "cascade", "sync", "levels", "random costs", "links", "closed loops", "polls", "locks", "chunks",
    "background", "checkpoints", "commit delay", "apply delay", "slow replay", "readers", "sessions", "quorums",
    "lag routes", "write routes", "promises", "capacity", "networks", "keys", "warm-up", "faults", "time-outs",
    "failover", "retries", "retention",
)  # fmt: skip
GRID_US: Final = 100
DURATION_MS: Final = 60


def random_scenario(seed: int) -> Scenario:
    """The scenario of a seed; it is sound."""
    fields = _Dice(seed).scenario()
    while True:
        try:
            return Scenario.model_validate(fields)
        except ValidationError:
            # Faults may contradict each other; the first alone never does.
            assert len(fields["faults"]) > 1
            fields["faults"].pop()


class _Dice:
    """Random choices among what is switched on."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rng = np.random.default_rng(seed)
        self._on = {feature: bool(self._rng.random() < 0.75) for feature in FEATURES}

    def scenario(self) -> dict[str, Any]:
        """All of it, as a file would hold it."""
        ups = self._standbys()
        self._limited = self.on("capacity")
        self._managed = bool(ups) and self.on("failover")
        self._faulty = self._managed or self.on("faults")
        direct = [name for name, upstream in ups.items() if upstream is None]
        pairs = [(upstream or "p", name) for name, upstream in ups.items()]
        both = [f"{a} -> {b}" for up, down in pairs for a, b in ((up, down), (down, up))]
        nodes = ["p", *ups]
        fields: dict[str, Any] = {
            "name": f"swarm {self._seed}",
            "duration": f"{DURATION_MS}ms",
            "seed": self._seed,
            "wakeup": self.pick("0s", "100us", "30us"),
            "primary": self._primary(direct),
            "standbys": {name: self._standby(upstream) for name, upstream in ups.items()},
            "links": {pair: self._link() for pair in both},
            "writers": {f"w{i}": self._writer() for i in range(self.number(1, 3))},
        }
        if self._faulty:
            fields["faults"] = [self._fault(nodes, both, fields["writers"]) for _ in range(self.number(1, 3))]
        if self._managed:
            self._manage(fields, nodes, direct)
        if self.on("background"):
            fields["background"] = {"wal": "500 kB/s", "record": "700 B"}
        if "checkpoints" in fields["primary"] and self.on("retention"):
            retain(self, fields)
        if self.on("warm-up"):
            fields["warmup"] = "5ms"
        if self.on("readers"):
            fields["readers"] = {f"r{i}": self._reader(nodes) for i in range(self.number(1, 3))}
        if self.on("sessions"):
            fields["sessions"] = {f"u{i}": self._session(nodes) for i in range(self.number(1, 2))}
        return fields

    def on(self, feature: str) -> bool:
        """Whether a feature that is switched on is used here."""
        assert feature in FEATURES
        return self._on[feature] and self.chance(0.7)

    def chance(self, probability: float) -> bool:
        """Heads or tails."""
        return bool(self._rng.random() < probability)

    def pick(self, *options: T) -> T:
        """One of them."""
        return options[int(self._rng.integers(len(options)))]

    def number(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``."""
        return int(self._rng.integers(low, high + 1))

    def time(self, low: int, high: int) -> str:
        """A duration of ``low`` to ``high`` tenths of a millisecond."""
        return f"{self.number(low, high) * GRID_US}us"

    def cost(self, low: int, high: int) -> Any:
        """A duration that is constant or random."""
        if not self.on("random costs"):
            return self.time(low, high)
        if self.chance(0.5):
            return {"uniform": {"low": self.time(low, high), "high": self.time(high + 1, 2 * high + 1)}}
        return {"exponential": {"mean": self.time(max(low, 1), high)}}

    def some(self, names: list[str]) -> list[str]:
        """A few of them, in some order."""
        order = [names[i] for i in self._rng.permutation(len(names))]
        return order[: self.number(1, len(order))]

    def _standbys(self) -> dict[str, str | None]:
        ups: dict[str, str | None] = {}
        if self._on["standbys"]:
            for i in range(self.number(1, 4)):
                ups[f"s{i}"] = self.pick(*ups) if ups and self.on("cascade") else None
        return ups

    def _primary(self, direct: list[str]) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "wal_device": {"flush": self.cost(0, 10), "write": self.cost(0, 2)},
            "max_connections": 1000,
            "wal_writer_delay": self.time(20, 60),
            "wal_writer_flush_after": self.pick("0 B", "16 KiB", "1 MiB"),
        }
        if self.chance(0.2):
            fields["wal_device"]["bandwidth"] = "2 MB/s"
        if self._limited:
            fields["read_capacity"] = {"servers": self.number(1, 3), "service": self.cost(0, 5)}
        if direct and self.on("sync"):
            count = self.number(1, len(direct))
            listed = self.some(direct)
            if count > len(listed) or self.chance(0.2):
                listed = ["*"]
            fields["synchronous_standby_names"] = f"{self.pick('FIRST', 'ANY')} {count} ({', '.join(listed)})"
        if self.on("levels"):
            fields["synchronous_commit"] = self.pick(*LEVELS)
        if self.on("commit delay"):
            fields |= {"commit_delay": "0.3ms", "commit_siblings": self.number(0, 3)}
        if self._faulty:
            fields["wal_sender_timeout"] = self.pick("5ms", "20ms", "60s")
        if self.on("checkpoints"):
            fields["checkpoints"] = {"every": "15ms", "page_image": "2 kB", "rows_per_page": 2}
        return fields

    def _standby(self, upstream: str | None) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "wal_device": {"flush": self.cost(0, 20), "write": self.cost(0, 4)},
            "replay": {"per_record": self.cost(0, 20 if self.on("slow replay") else 3)},
            "wal_receiver_status_interval": self.pick("0s", "2ms", "10s"),
        }
        if self._faulty:
            fields["max_standby_streaming_delay"] = self.pick("5ms", "30s", "-1")
            fields["wal_receiver_timeout"] = self.pick("5ms", "20ms", "60s")
            fields["wal_retrieve_retry_interval"] = self.pick("1ms", "5ms")
        if upstream is not None:
            fields["upstream"] = upstream
        if self.chance(0.2):
            fields["replay"]["bandwidth"] = "1 MB/s"
        if self._limited and self.chance(0.7):
            fields["read_capacity"] = {"servers": self.number(1, 3), "service": self.cost(0, 20)}
        if self.on("apply delay"):
            fields["recovery_min_apply_delay"] = self.pick("3ms", "20ms")
        return fields

    def _link(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"latency": self.cost(1, 20)}
        if self.on("links"):
            options = {
                "hold": self.time(5, 50),
                "jitter": self.cost(0, 10),
                "bandwidth": self.pick("200 kB/s", "5 MB/s"),
                "window": self.pick("500 B", "20 kB"),
                "loss": "10%",
            }
            fields |= {name: options[name] for name in self.some(list(options))}
        return fields | ({"retransmission_timeout": "3ms"} if "loss" in fields else {})

    def _fault(self, nodes: list[str], links: list[str], writers: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Something that breaks, and when; half of all heal."""
        fault: dict[str, Any] = {"at": self.time(10, 500)}
        if self.chance(0.7):
            fault["for"] = self.time(1, 200)
        standbys = nodes[1:]
        verbs = ["crash", "pause", "stall", "slow", *(["pause_replay", "query"] if standbys else [])]
        if links:
            verbs += ["cut", "cut", "partition", "delay", "throttle", "lose"]
        open_loop = [name for name, writer in writers.items() if "rate" in writer]
        verb = self.pick(*verbs, "cancel", "restart", *(["load"] if open_loop else []))
        if verb in ("cut", "delay", "throttle", "lose"):
            fault |= {verb: self.pick(*links), "ways": self.pick("both", "one")}
        more: dict[str, dict[str, Any]] = {
            "cancel": {"cancel": "w0"},
            "restart": {"restart": self.some(nodes), "for": self.time(1, 100)},
            "load": {"load": self.pick(*(open_loop or nodes)), "times": self.pick(0.2, 3)},
            "crash": {"crash": self.pick(*(standbys or nodes)), "of": self.pick("host", "process")},
            "cut": {"how": self.pick("silent", "reset")},
            "partition": {"partition": [[self.pick(*nodes)]], "how": self.pick("silent", "reset")},
            "delay": {"by": self.cost(1, 30)},
            "throttle": {"to": "100 kB/s"},
            "lose": {"share": "30%"},
            "slow": {"slow": self.pick(*nodes), "times": 5},
            "query": {"query": self.pick(*(standbys or nodes))},
            "pause_replay": {"pause_replay": self.pick(*(standbys or nodes))},
        }
        if verb == "cancel":
            fault.pop("for", None)
        return fault | more.get(verb, {verb: self.pick(*nodes)})

    def _voters(self, nodes: list[str]) -> list[str]:
        """A witness, and nodes of which at least one can be elected."""
        some = self.some(nodes)
        return [*some, *([nodes[1]] if some == ["p"] else []), "w1"]

    def _manage(self, fields: dict[str, Any], nodes: list[str], direct: list[str]) -> None:
        """Somebody who promotes, links that anybody could follow anybody on, and often a reason to promote.

        Everything that takes seconds in a real cluster takes milliseconds here, so that a short run has it all.
        """
        manager = self.pick("manual", "patroni", "patroni", "quorum")
        common = {
            "promotion": self.cost(1, 10),
            "routing": self.cost(0, 50),
            "fencing": self.chance(0.7),
            "rejoin": {
                "by": self.pick("rewind", "rewind", "rebuild", "never"),
                "rewind": self.cost(5, 50),
                "data": "1 MB",
                "bandwidth": "100 MB/s",
            },
        }
        more: dict[str, dict[str, Any]] = {
            "manual": {"at": self.time(100, 500), "promote": self.pick(*nodes[1:])},
            "patroni": {
                "ttl": "15ms",
                "loop_wait": "5ms",
                "retry_timeout": "5ms",
                "primary_start_timeout": self.pick("0s", "20ms", "300s"),
                "maximum_lag_on_failover": self.pick("0 B", "20 kB", "1 MiB"),
                "synchronous_mode": self.pick("off", "on", "strict", "quorum"),
                "synchronous_node_count": self.number(1, 2),
                "race": self.cost(1, 10),
                **({"store": ["w1", "w2", "w3"]} if self.chance(0.3) else {}),
            },
            "quorum": {
                "heartbeat": "2ms",
                "election_timeout": "8ms",
                **({"members": self._voters(nodes)} if self.chance(0.3) else {}),
            },
        }
        fields["failover"] = {"manager": manager, **common, **more[manager]}
        if fields["failover"].get("synchronous_mode", "off") != "off":
            fields["primary"].pop("synchronous_standby_names", None)
        heirs = {"manual": [more["manual"]["promote"]], "quorum": list(more["quorum"].get("members", nodes))}
        planned = self._planned(nodes, direct)
        if planned:
            heir = planned.get("switchover") or planned["hand_over_to"]
            heirs = {each: [*names, heir] for each, names in heirs.items()}
            # First, as its links would be of no use if it were dropped.
            fields["faults"] = [planned, *fields["faults"]]
        elif self.chance(0.7):
            fault = {"at": self.time(100, 300), "crash": "p", "of": self.pick("host", "process")}
            heals = {"for": self.time(50, 300)} if self.chance(0.6) else {}
            fields["faults"] = [fault | heals, *fields["faults"]]
        for a in nodes[1:]:
            for b in ("p", *direct):
                if a != b and a in heirs.get(manager, nodes):
                    for pair in (f"{a} -> {b}", f"{b} -> {a}"):
                        fields["links"].setdefault(pair, self._link())

    def _planned(self, nodes: list[str], direct: list[str]) -> dict[str, Any]:
        """Often, a switchover or a rolling restart that ends with one."""
        if self.chance(0.6):
            return {}
        fault = {"at": self.time(50, 500)}
        if self.chance(0.5):
            return fault | {"switchover": self.pick(*direct)}
        rest = [name for name in self.some(nodes) if name != "p"]
        return fault | {"for": self.time(1, 50), "restart": [*rest, "p"], "hand_over_to": self.pick(*direct)}

    def _writer(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "execution": self.time(1, 8),
            "record": self.pick("100 B", "5 kB", {"uniform": {"low": "50 B", "high": "20 kB"}}),
            "records": self.number(1, 3),
        }
        if self.on("networks"):
            fields["network"] = self.cost(0, 5)
        if self.on("levels"):
            fields["synchronous_commit"] = self.pick(*LEVELS)
        if self.on("chunks"):
            fields["chunk"] = "1 kB"
        if self.on("locks"):
            fields["keys"] = {"count": 2, "lock": True}
        elif self.on("keys"):
            fields["keys"] = {"count": 20, "zipf": 1}
        if self.on("closed loops"):
            fields |= {"clients": self.number(1, 4), "think": self.cost(1, 30), "in_flight": self.number(1, 3)}
            if fields["in_flight"] > 1 and self.on("polls"):
                fields["poll"] = "1ms"
        else:
            fields |= {"rate": f"{self.number(50, 1500)}/s", "connections": self.number(1, 6)}
            fields["arrivals"] = self.pick("poisson", "deterministic")
        if fields.get("in_flight", 1) == 1 and self.on("time-outs"):
            fields |= {"timeout": self.time(5, 200), "at_timeout": self.pick("cancel", "disconnect")}
            if self.chance(0.5):
                fields["statement_timeout"] = self.time(1, 50)
        return fields | self._retry()

    def _reader(self, nodes: list[str]) -> dict[str, Any]:
        fields: dict[str, Any] = {"rate": f"{self.number(100, 3000)}/s", "route": self._route(nodes, users=False)}
        if self.on("networks"):
            fields["network"] = self.cost(0, 10)
        if self.on("keys"):
            fields["keys"] = {"count": 20, "zipf": 1}
        if self.on("quorums") and not self._limited:
            among = self.some(nodes)
            fields["route"] = {"quorum": self.number(1, len(among)), "among": among}
        elif self.on("promises"):
            fields |= self._means() | {"guarantee": "bounded_staleness", "bound": self.time(0, 50)}
        return fields

    def _retry(self) -> dict[str, Any]:
        if not self.on("retries"):
            return {}
        return {"retry": {"after": self.time(5, 100), "attempts": self.number(1, 5)}}

    def _session(self, nodes: list[str]) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "count": self.number(1, 8),
            "reads": self.number(1, 4),
            "read_after": self.cost(0, 20),
            "route": self._route(nodes, users=True),
            "connections": self.number(2, 8),
        }
        if self.on("networks"):
            fields["network"] = self.cost(0, 5)
        if self.on("closed loops") and not self._limited:
            del fields["connections"]
            fields["think"] = self.cost(1, 30)
        else:
            fields["write_every"] = self.cost(20, 100)
        if self.on("promises"):
            guarantee = self.pick("read_your_writes", "monotonic_reads", "causal", "bounded_staleness")
            fields |= self._means() | {"guarantee": guarantee}
            if guarantee == "bounded_staleness":
                fields["bound"] = self.time(0, 50)
        return fields | self._retry()

    def _route(self, nodes: list[str], *, users: bool) -> Any:
        spreading = ["round_robin", "random", "nearest", *(["per_session"] if users else [])]
        if self.on("lag routes"):
            spreading.append("least_lag")
        route: dict[str, Any] = {"policy": self.pick(*spreading)}
        if self.chance(0.2):
            route = {"weighted": {name: self.number(1, 3) for name in self.some(nodes)}}
        elif self.chance(0.2):
            route = {"node": self.pick(*nodes)}
        elif self.chance(0.3):
            route["among"] = self.some(nodes)
        if self.on("lag routes"):
            route["max_lag" if self.chance(0.5) else "max_lag_bytes"] = self.pick("1ms", "5ms", "20ms")
            if "max_lag_bytes" in route:
                route["max_lag_bytes"] = self.pick("0 B", "2 kB", "50 kB")
        if {"max_lag", "max_lag_bytes"} & set(route) or route.get("policy") == "least_lag":
            route["poll"] = self.pick("500us", "3ms", "1s")
        if users and self.on("write routes"):
            word = self.pick("primary_after_write", "until_caught_up")
            route[word] = self.time(5, 100) if word == "primary_after_write" else self.pick("chosen", "all", "any")
        return route

    def _means(self) -> dict[str, Any]:
        by = self.pick("wait", "primary", "another")
        if by != "wait":
            return {"by": by}
        return {"by": by, "timeout": self.time(1, 100), "at_timeout": self.pick("primary", "stale")}
