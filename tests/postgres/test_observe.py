"""A live primary is observed without a trace, and a scenario made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from replsim import front
from replsim.calibrate.scenario import calibrated
from replsim.calibrate.sources import gathered
from replsim.cli.calibrate import observe
from replsim.engines.postgres import observe as live
from replsim.engines.postgres.binaries import Binaries
from replsim.engines.postgres.server import Server
from replsim.engines.postgres.workspace import Workspace
from replsim.errors import ServerFailed


def test_a_primary_and_its_standby_are_observed(binaries: Binaries, workspace: Workspace, tmp_path: Path) -> None:
    """Samples have every column, at most so many a second; nothing can be written; a standby is refused."""
    primary, standby = Server(workspace, binaries, "p"), Server(workspace, binaries, "s1")
    primary.create("secret")
    primary.configure({"fsync": "off", "synchronous_standby_names": "s1", "synchronous_commit": "remote_write"})
    primary.start()
    standby.copy(primary)
    to_primary = f"host=127.0.0.1 port={primary.port} user=replsim password=secret application_name=s1"
    standby.configure({"fsync": "off", "primary_conninfo": to_primary})
    standby.start()
    primary.tell("CREATE TABLE t (x int)")
    primary.tell("INSERT INTO t SELECT generate_series(1, 1000)")
    before = primary.ask("SELECT pg_current_wal_insert_lsn()")

    observe(primary.conninfo, seconds="1s", every="1ms", out=tmp_path / "seen", force=False)
    lines = (tmp_path / "seen" / "mon.csv").read_text().splitlines()
    assert lines[0] == ",".join(live.COLUMNS)
    assert 10 <= len(lines) - 1 <= 21, "twenty samples a second are the most"
    assert {line.split(",")[5] for line in lines[1:]} == {"s1"}
    assert json.loads((tmp_path / "seen" / "settings.json").read_text())["synchronous_commit"] == "remote_write"
    assert primary.ask("SELECT pg_current_wal_insert_lsn()") == before or primary.ask("SELECT count(*) FROM t") == 1000

    with pytest.raises(ServerFailed, match="this server is a standby"):
        list(live.observe(standby.conninfo, seconds=0.1, every=0.1))
    found = calibrated(gathered(tmp_path / "seen", name="seen"))
    assert found.value("primary.synchronous_standby_names") == "s1"
    from replsim.calibrate.written import written

    scenario = front.loads(written(found))
    assert scenario.primary.synchronous_commit == "remote_write"


def test_nobody_there_is_said(tmp_path: Path) -> None:
    """A server that does not answer is one sentence, and nothing is written."""
    with pytest.raises(ServerFailed, match="no connection"):
        observe("host=127.0.0.1 port=1 connect_timeout=1", seconds="1s", every="1s", out=tmp_path / "seen", force=False)
    assert not (tmp_path / "seen").exists()
