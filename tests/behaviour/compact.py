"""Scenarios as a few lines of text, for scripts that show one rule at a time.

::

    primary: flush 1ms
    s1: 2ms away, flush 0.5ms, replay 0.1ms
    synchronous_standby_names = FIRST 1 (s1)
    app: commits at 0ms 3ms, level on
    until 20ms

A line with ``=`` is a setting of the primary.  A line with ``:`` describes the primary, a standby (it is some way
``away``), the ``background``, or else a writer.  What is not said takes no time: writes, flushes, replay, the network,
and the ``wakeup`` of each hand-off.  A commit writes 100 B.  Where several values are given, the first use takes the
first, the second the second, and so on, over and over.  A line in braces is a fault, as in a scenario file;
``failover = {…}`` is the manager, and ``s1 -> s2: 4ms away`` a link that is used after it has promoted somebody.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from replsim.randomness import Streams
from replsim.scenario import Scenario
from replsim.scenario.dialect import read

__all__ = ["SEED", "scenario"]

SEED = 1

DEVICE = {"flush": "disk:{}:flush", "write": "disk:{}:write"}
"""What may take several values in turn, and the random stream that they replace."""
REPLAY = {"replay": "replay:{}"}
WRITER = {"execution": "writer:{}:execution", "record": "writer:{}:record", "think": "writer:{}:think"}
STANDBY = {
    "recovery_min_apply_delay",
    "wal_receiver_timeout",
    "wal_retrieve_retry_interval",
    "max_standby_streaming_delay",
    "hot_standby_feedback",
}
COUNTS = {"connections", "in_flight", "records"}


def scenario(lines: list[str]) -> Scenario:
    """The scenario that the lines describe."""
    made: dict[str, Any] = {"name": "script", "duration": "100ms", "wakeup": "0s", "standbys": {}, "links": {}}
    made["writers"] = {}
    made["primary"] = {"wal_device": {"flush": "0s", "write": "0s"}, "max_connections": 1000}
    for line in lines:
        if line.startswith("{"):
            made.setdefault("faults", []).append(read(line, "script").data)
            continue
        link = re.fullmatch(r"(\w+ -> \w+): (\S+) away", line)
        if link:
            made["links"][link[1]] = {"latency": link[2]}
            continue
        if line.startswith("failover = "):
            made["failover"] = read(line.removeprefix("failover = "), "script").data
            continue
        setting = re.fullmatch(r"(\w+) = (.*)", line)
        part = re.fullmatch(r"(\w+): (.*)", line)
        if setting:
            name, value = setting.groups()
            made["primary"][name] = int(value) if value.isdigit() else value
        elif part is None:
            word, value = line.split()
            made["duration" if word == "until" else word] = value
        else:
            _part(made, part[1], part[2].split(", "))
    return Scenario.model_validate(made)


def _part(made: dict[str, Any], name: str, items: list[str]) -> None:
    """One node, or one group of clients."""
    if name == "background":
        made[name] = {"wal": _after(items, "wal"), "record": _after(items, "record")}
    elif name == "primary":
        for item in items:
            word, *values = item.split()
            if word == "checkpoint":
                made["primary"]["checkpoints"] = {"every": values[1], "page_image": f"{values[3]} {values[4]}"}
            else:
                _device(made["primary"], "p", word, values)
    elif any(item.endswith((" away", " out")) for item in items):
        _standby(made, name, items)
    else:
        made["writers"][name] = _writer(name, items)


def _after(items: list[str], word: str) -> str:
    return next(item.removeprefix(word + " ") for item in items if item.startswith(word + " "))


def _standby(made: dict[str, Any], name: str, items: list[str]) -> None:
    """A standby, and the link to it."""
    own: dict[str, Any] = {"wal_device": {"flush": "0s", "write": "0s"}, "replay": {"per_record": "0s"}}
    upstream = next((item.split()[1] for item in items if item.startswith("behind ")), "p")
    out: dict[str, Any] = {}
    back: dict[str, Any] = {}
    for item in items:
        word, *values = item.split()
        if item.endswith((" away", " out")):
            out["latency"] = _values(item.split()[:-1], f"link:{upstream}->{name}:latency")
            back.setdefault("latency", item.split()[0])
        elif item.endswith(" back"):
            back["latency"] = word
        elif word in ("window", "bandwidth"):
            out[word] = " ".join(values)
        elif word == "behind":
            own["upstream"] = upstream
        elif word == "replay":
            own["replay"]["per_record"] = _values(values, REPLAY["replay"].format(name))
        elif word == "replays":
            own["replay"]["bandwidth"] = " ".join(values)
        elif word == "status":
            own["wal_receiver_status_interval"] = values[0]
        elif word in STANDBY:
            own[word] = values[0]
        elif word == "retransmission_timeout":
            out[word] = back[word] = values[0]
        else:
            _device(own, name, word, values)
    made["standbys"][name] = own
    made["links"][f"{upstream} -> {name}"] = out
    made["links"][f"{name} -> {upstream}"] = back


def _device(node: dict[str, Any], name: str, word: str, values: list[str]) -> None:
    if word == "disk":
        node["wal_device"]["bandwidth"] = " ".join(values)
    else:
        node["wal_device"][word] = _values(values, DEVICE[word].format(name))


def _writer(name: str, items: list[str]) -> dict[str, Any]:
    """A writer."""
    own: dict[str, Any] = {"record": "100 B"}
    for item in items:
        word, *values = item.split()
        if item.startswith("commits at "):
            own["arrivals"] = {"replayed": {"samples": values[1:]}}
        elif item.endswith((" client", " clients")):
            own["clients"] = int(word)
        elif item == "one hot row":
            own["keys"] = {"count": 1, "lock": True}
        elif item == "one row":
            own["keys"] = {"count": 1}
        elif word == "level":
            own["synchronous_commit"] = values[0]
        elif word in COUNTS:
            own[word] = int(values[0])
        elif word in WRITER:
            whole = re.findall(r"[\d.]+ ?[a-zA-Z]+", " ".join(values))
            own[word] = _values(whole, WRITER[word].format(name))
        else:
            own[word] = " ".join(values)
    return own


def _values(values: list[str], stream: str) -> Any:
    """One value for all draws of a stream, or several in turn, from the first one on."""
    if len(values) == 1:
        return values[0]
    # A sequence of samples starts at a place that the seed chooses: turn it, so that this is the first value.
    start = int(Streams(SEED).uniforms(stream).phase * len(values))
    turned = [str(value) for value in np.roll(np.array(values, dtype=object), start)]
    return {"empirical": {"samples": turned, "order": "sequence"}}
