"""When connections are lost, and when they are not."""

from __future__ import annotations

import replsim
from replsim.engines import events

TEXT = """
name: connections
duration: 2s
seed: 1
primary: {wal_sender_timeout: 100ms}
standbys: {s1: {}, s2: {}}
links: {p -> s1: {latency: 1ms}, p -> s2: {latency: 1ms}}
writers: {app: {rate: 10/s}}
faults:
"""


def lost(faults: str, **changes: str) -> list[str]:
    """The standbys that lost their connection."""
    record = events.run(replsim.loads(TEXT + faults, overrides={"primary.wal_sender_timeout": "60s"} | changes), 1)
    what = record.events.words["what"]
    happened = zip(record.events["node"], record.events["what"], strict=True)
    return [record.events.words["node"][node] for node, place in happened if what[place] == "disconnected"]


def test_a_reset_is_one_of_its_own_link() -> None:
    """What is cut silently at the time is not reset with it."""
    silent = "  - {at: 1s, for: 500ms, cut: p -> s1, how: silent}\n"
    assert lost(silent + "  - {at: 1200ms, for: 100ms, cut: p -> s2, how: reset}\n") == ["s2"]


def test_a_connection_that_is_whole_when_a_timeout_falls_due_lasts() -> None:
    """The walsender asks for an answer at half of its timeout: over a link that is whole again, it gets one."""
    short = "  - {at: 1s, for: 10ms, cut: p -> s1}\n"
    changes = {"primary.wal_sender_timeout": "100ms"}
    assert lost(short + "  - {at: 1045ms, for: 10ms, cut: p -> s1}\n", **changes) == []
    assert lost(short + "  - {at: 1045ms, for: 80ms, cut: p -> s1}\n", **changes) == ["s1"]
