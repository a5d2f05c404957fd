"""``replsim dashboard``: how it is started, and what it says when it cannot be."""

from __future__ import annotations

import importlib.util
import socket
from importlib.machinery import ModuleSpec

import pytest

from replsim.cli import dashboard
from tests.cli.conftest import Replsim


def test_it_is_local_silent_and_protected() -> None:
    """The server listens on this machine only, reports to nobody and refuses other sites' requests."""
    words = dashboard.arguments(dashboard.find_dashboard(), 9000, browser=False)
    assert words[:2] == ["run", str(dashboard.find_dashboard())]
    assert {
        "--server.address=127.0.0.1",
        "--server.port=9000",
        "--server.headless=true",
        "--server.enableXsrfProtection=true",
        "--server.enableCORS=true",
        "--browser.gatherUsageStats=false",
    } <= set(words)


def test_without_a_port_the_first_free_one_is_taken() -> None:
    """No port is asked for where the user names none: the server looks for a free one itself."""
    words = dashboard.arguments(dashboard.find_dashboard(), None, browser=True)
    assert not any("server.port" in word for word in words)
    assert "--server.headless=false" in words


def test_its_entry_is_there() -> None:
    """The file that is served exists, in the checkout as in the package."""
    assert dashboard.find_dashboard().is_file()


def test_without_the_extra_it_says_what_to_install(replsim: Replsim, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing library is one line with the command that installs it, and exit code 2."""
    find = importlib.util.find_spec

    def without_streamlit(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "streamlit" else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_streamlit)
    ended = replsim("dashboard")
    assert ended.code == 2
    assert ended.err == ("the dashboard needs streamlit, which is not installed: pip install 'replsim[dashboard]'\n")


def test_a_port_that_is_taken_is_refused_before_anything_starts(replsim: Replsim) -> None:
    """A port in use is one line, and exit code 2."""
    with socket.socket() as taken:
        taken.bind((dashboard.LOCALHOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = replsim("dashboard", "--port", str(port))
    assert ended.code == 2
    assert ended.err.startswith(f"--port {port}: cannot be used")


def test_its_help_teaches(replsim: Replsim) -> None:
    """The help names the pages, and says what a URL stands for."""
    ended = replsim("dashboard", "--help")
    assert ended.code == 0
    for word in ("Explore", "Follow one commit", "Break it", "Compare", "Learn", "127.0.0.1", "--set writers.app.rate"):
        assert word in ended.out
