"""A real server starts on the loopback address only, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from replsim.engines.postgres.binaries import Binaries
from replsim.engines.postgres.server import Server
from replsim.engines.postgres.workspace import Workspace
from replsim.errors import ServerFailed

HOLD = """
import sys, time
from replsim.engines.postgres.binaries import Binaries
from replsim.engines.postgres.server import Server
from replsim.engines.postgres.workspace import Workspace

with Workspace() as workspace:
    server = Server(workspace, Binaries.find(), "p")
    server.create("secret")
    server.configure({"fsync": "off"})
    server.start()
    print(workspace.folder, server.pid, flush=True)
    time.sleep(60)
"""


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


def test_a_server_and_its_standby_start_and_vanish(binaries: Binaries) -> None:
    """A primary and a standby run, without privileges and on 127.0.0.1 alone; then they and their folder are gone."""
    with Workspace() as workspace:
        primary, standby = Server(workspace, binaries, "p"), Server(workspace, binaries, "s1")
        primary.create("secret")
        primary.configure({"fsync": "off"})
        primary.start()
        standby.copy(primary)
        conninfo = f"host=127.0.0.1 port={primary.port} user=replsim password=secret"
        standby.configure({"fsync": "off", "primary_conninfo": conninfo})
        standby.start()
        assert not primary.ask("SELECT pg_is_in_recovery()")
        assert standby.ask("SELECT pg_is_in_recovery()")
        for server in (primary, standby):
            assert server.ask("SHOW listen_addresses") == "127.0.0.1"
            assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert workspace.folder.stat().st_mode & 0o077 == 0
    for server in (primary, standby):
        assert not server.is_running
    assert not workspace.folder.exists()


def test_a_server_that_does_not_start_says_why(binaries: Binaries, workspace: Workspace) -> None:
    """A wrong setting comes out as the server's own last words."""
    server = Server(workspace, binaries, "p")
    server.create("secret")
    server.configure({"shared_buffers": "a lot"})
    with pytest.raises(ServerFailed, match=r"p did not start(.|\n)*shared_buffers"):
        server.start()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_the_run_is_ended_nothing_is_left(binaries: Binaries, end: signal.Signals) -> None:
    """Ctrl-C, a polite and a rude kill in the middle: the server's process and its folder are gone soon after."""
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        assert run.stdout is not None
        folder, pid = run.stdout.readline().split()
        assert Path(folder).is_dir()
        assert not gone(int(pid))
        run.send_signal(end)
        run.wait()
    deadline = time.monotonic() + 20
    while not (gone(int(pid)) and not Path(folder).exists()):
        assert time.monotonic() < deadline, "something was left behind"
        time.sleep(0.05)
