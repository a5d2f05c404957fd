"""A trace holds the spans, arrows and counters of a stretch of a run, in microseconds."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import replsim
from replsim.cli.app import app
from replsim.export import trace
from tests.plots.clockwork import clockwork


@pytest.fixture(scope="module")
def clock() -> dict[str, Any]:
    """One second of the clockwork: commits at 1.0 s … 1.9 s."""
    found: dict[str, Any] = json.loads(trace(clockwork(), start=0.999, end=1.999))
    return found


def test_processes_and_tracks_have_names(clock: dict[str, Any]) -> None:
    """The clients and each node are processes; a node has a track for flushes, a standby one for replay."""
    names = [event for event in clock["traceEvents"] if event["ph"] == "M"]
    processes = {event["args"]["name"]: event["pid"] for event in names if event["name"] == "process_name"}
    assert list(processes) == ["clients", "p", "near", "far"]
    tracks = Counter((event["pid"], event["args"]["name"]) for event in names if event["name"] == "thread_name")
    assert set(tracks) == {
        (processes["p"], "flush"),
        *((processes[name], track) for name in ("near", "far") for track in ("flush", "replay")),
    }


def test_spans_arrows_and_commits_of_the_clockwork(clock: dict[str, Any]) -> None:
    """Ten commits: ten flushes on each node, twenty arrows of 5 and 20 ms, ten commits of 13 ms with their parts."""
    events = clock["traceEvents"]
    flushes = [event for event in events if event["ph"] == "X" and event["name"] == "flush"]
    assert Counter(round(event["dur"]) for event in flushes) == {1000: 10, 2000: 20}
    starts = {event["id"]: event["ts"] for event in events if event["ph"] == "s"}
    ends = {event["id"]: event["ts"] for event in events if event["ph"] == "f"}
    assert Counter(round(ends[arrow] - starts[arrow]) for arrow in starts) == {5000: 10, 20000: 10}
    replayed = [event for event in events if event["ph"] == "X" and event["name"].startswith("commit")]
    assert Counter(round(event["dur"]) for event in replayed) == {0: 10, 1000: 10}

    opened: dict[tuple[int, str], float] = {}
    lasted: dict[int, dict[str, int]] = {}
    for event in events:
        if event["ph"] == "b":
            opened[event["id"], event["name"]] = event["ts"]
        elif event["ph"] == "e":
            lasted.setdefault(event["id"], {})[event["name"]] = round(event["ts"] - opened[event["id"], event["name"]])
    assert len(lasted) == 10
    for row, parts in lasted.items():
        whole = parts.pop(f"app {row}")
        assert whole == sum(parts.values()) == 13000
        assert parts == {"flush": 1000, "network out": 5000, "remote flush": 2000, "network back": 5000}


def test_counters_are_lag(clock: dict[str, Any]) -> None:
    """Each standby's lag counts 600 bytes from a commit to its apply, and nothing then."""
    far = [event for event in clock["traceEvents"] if event["ph"] == "C" and event["pid"] == 4]
    assert [event["args"]["bytes"] for event in far] == [600, 0] * 10
    assert {round(b["ts"] - a["ts"]) for a, b in zip(far[::2], far[1::2], strict=True)} == {24000}


def test_a_trace_is_bounded_and_says_so() -> None:
    """With more events than allowed it ends earlier: what is shown is whole, in order, and the end is named."""
    result = replsim.run(replsim.load("three-nodes").changed(duration="3s", warmup="0s"))
    found = json.loads(trace(result, most=3000))
    events = [event for event in found["traceEvents"] if event["ph"] != "M"]
    assert 1200 < len(events) <= 3000
    assert "only up to 0." in found["otherData"]["cut"]
    assert [event["ts"] for event in events] == sorted(event["ts"] for event in events)
    phases = Counter(event["ph"] for event in events)
    assert phases["b"] == phases["e"]
    assert phases["s"] == phases["f"]
    assert "cut" not in json.loads(trace(result, end=0.1))["otherData"]


def test_the_command_writes_the_trace(tmp_path: Path) -> None:
    """`replsim trace` writes a stretch of a run as JSON."""
    out = tmp_path / "t.json"
    done = CliRunner().invoke(
        app, ["trace", "three-nodes", "--set", "duration=3s", "--from", "1", "--to", "2", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    times = [event["ts"] for event in json.loads(out.read_text(encoding="utf-8"))["traceEvents"] if "ts" in event]
    assert 1e6 <= min(times) < max(times) <= 2e6
    wrong = CliRunner().invoke(
        app, ["trace", "three-nodes", "--from", "2", "--to", "1", "--out", str(tmp_path / "no.json")]
    )
    assert wrong.exit_code == 2
    assert wrong.output.endswith("nothing to trace from 2 s to 1 s: the run takes 20s\n")
    assert not (tmp_path / "no.json").exists()
