"""A run that is ended in the middle leaves no process and no folder."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import replsim
from replsim.engines.postgres.binaries import Binaries

SCENARIO = """
name: interrupted
duration: 60s
primary: {synchronous_standby_names: s1}
standbys: {s1: {}}
links: {p -> s1: {latency: 1ms}}
writers: {app: {rate: 50/s}}
readers: {web: {rate: 10/s}}
"""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files that the servers' user can enter, and nobody else uses."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)
        yield Path(folder)


def of(place: Path) -> list[str]:
    """The command lines of all processes that speak of a folder below it."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            text = line.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if f"{place}/replsim-" in text:
                found.append(text)
    return found


@pytest.mark.parametrize(("end", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_and_all_that_it_started(
    binaries: Binaries, place: Path, end: signal.Signals, code: int
) -> None:
    """Ctrl-C or SIGTERM while three processes of ours and two servers are at work: when the command has ended, all are
    gone, and it says by its exit code what ended it."""
    file = place / "interrupted.yaml"
    file.write_text(SCENARIO)
    # A test that is itself run in the background has Ctrl-C turned off, and hands that down.
    program = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from replsim.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", program, "run", str(file), "--engine", "postgres"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        deadline = time.monotonic() + 60
        while not list(place.glob("replsim-*/data-s1/postmaster.pid")):
            assert run.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert len(of(place)) >= 2
        run.send_signal(end)
        _, said = run.communicate(timeout=60)
    assert run.returncode == code, said
    assert "Traceback" not in said
    assert of(place) == []
    assert list(place.glob("replsim-*")) == []


def test_an_error_in_the_middle_ends_all_too(binaries: Binaries, place: Path) -> None:
    """What a progress function raises comes out of the run, and nothing is left behind it."""

    class Enough(Exception):
        """What a caller's own progress function raises."""

    def progress(fraction: float) -> None:
        if fraction > 0.01:
            raise Enough

    with pytest.raises(Enough):
        replsim.run(replsim.loads(SCENARIO), engine="postgres", progress=progress)
    assert of(place) == []
    assert list(place.iterdir()) == []
