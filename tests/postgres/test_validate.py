"""``replsim validate --live``: one scenario, once on real servers and once simulated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from replsim.cli import main
from replsim.engines.postgres.binaries import Binaries

SCENARIO = """
name: both
duration: 1500ms
warmup: 200ms
primary: {synchronous_standby_names: s1}
standbys: {s1: {}}
links: {p -> s1: {latency: 20ms}}
writers: {app: {clients: 2}}
"""


def test_both_runs_are_told_side_by_side(
    binaries: Binaries, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each metric of the real run has its simulated one, both beyond the link's round trip; stderr says what the
    simulation was told of the machine, and what the scenario could not decide."""
    file = tmp_path / "both.yaml"
    file.write_text(SCENARIO)
    with pytest.raises(SystemExit) as end:
        main(["validate", str(file), "--live", "--format", "json"])
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert end.value.code == (0 if found["held"] else 1)
    rows = {row["metric"]: row for row in found["metrics"]}
    for metric in ("commit_latency.p50", "s1.measured_lag.flush.p50"):
        assert rows[metric]["real"] >= 0.0399
        assert rows[metric]["simulated"] >= 0.04
    assert "p.commits_per_flush" in rows
    assert "wake-up" in said.err
    assert "p.wal_device, s1.wal_device" in said.err


@pytest.mark.parametrize("asked", [[], ["--live", "--against", "data"]])
def test_what_to_compare_with_is_asked_for_once(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Neither of --against and --live, or both, is a mistake, and the message names the two."""
    with pytest.raises(SystemExit) as end:
        main(["validate", "three-nodes", *asked])
    assert end.value.code == 2
    assert "either --against DATA or --live" in capsys.readouterr().err
