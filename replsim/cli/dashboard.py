"""``replsim dashboard``: start Streamlit on the dashboard, on this machine only."""

from __future__ import annotations

import importlib.util
import socket
import sys
from pathlib import Path
from typing import Final

from replsim.errors import MissingExtra, Problem, ScenarioError

__all__ = ["arguments", "find_dashboard", "open_dashboard"]

LOCALHOST: Final = "127.0.0.1"
NEEDED: Final = ("streamlit", "plotly")


def open_dashboard(port: int | None, *, browser: bool) -> None:
    """Serve the dashboard until Ctrl-C.

    Raises `MissingExtra` where its libraries are not installed, and `ScenarioError` where the port is taken.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"the dashboard needs {' and '.join(missing)}, which is not installed: pip install 'replsim[dashboard]'"
        )
    if port is not None:
        _refuse_taken(port)
    app = find_dashboard()
    _make_importable(app.parent)
    from streamlit.web import cli

    sys.argv = ["streamlit", *arguments(app, port, browser=browser)]
    cli.main()


def arguments(app: Path, port: int | None, *, browser: bool) -> list[str]:
    """What Streamlit is started with: local, silent, and protected against other sites' requests."""
    flags = {
        "server.address": LOCALHOST,
        "server.headless": "false" if browser else "true",
        "server.enableXsrfProtection": "true",
        "server.enableCORS": "true",
        "server.fileWatcherType": "none",
        "server.maxUploadSize": "2",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "global.developmentMode": "false",
    }
    if port is not None:
        flags["server.port"] = str(port)
    return ["run", str(app), *(f"--{name}={value}" for name, value in flags.items())]


def find_dashboard() -> Path:
    """What is served: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_dashboard" / "server.py"
    return installed if installed.is_file() else package.parent / "dashboard" / "server.py"


def _make_importable(folder: Path) -> None:
    """Let the dashboard's files import each other as ``dashboard``, whatever their folder is called."""
    spec = importlib.util.spec_from_file_location(
        "dashboard", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["dashboard"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        # As the server will do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCALHOST, port))
        except OSError as error:
            raise ScenarioError(
                [Problem((), f"cannot be used ({error.strerror}): take another", f"--port {port}")]
            ) from None
