"""The dashboard in a real Chromium: one server and one browser for all tests, a fresh window for each.

Whatever a test does, its window may report no error and ask nobody but this machine for anything.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip

expect.set_options(timeout=PATIENCE_SECONDS * 1000)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard, started as a user starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("dashboard") / "log"
    command = [sys.executable, "-m", "replsim", "dashboard", "--port", str(port), "--no-browser"]
    with log.open("wb") as out, subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
    assert "Traceback" not in log.read_text(encoding="utf-8"), log.read_text(encoding="utf-8")


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the dashboard did not start:\n{log.read_text(encoding='utf-8')}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser."""
    if not CHROMIUM:
        pytest.skip("there is no Chromium: apt-get install chromium fonts-liberation")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Window:
    """A window on the dashboard, and what it complained of."""

    page: Page
    address: str
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, path: str = "") -> Page:
        """Show a page of the dashboard, and wait until it has nothing left to do."""
        self.page.goto(f"{self.address}/{path}")
        return self.rest()

    def rest(self) -> Page:
        """Wait until the page has been worked out."""
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        return self.page


Open = Callable[..., Window]


@pytest.fixture
def window(server: str, chromium: Browser) -> Iterator[Open]:
    """Open windows of any size and theme; at the end none of them has an error or asked outside."""
    every: list[Window] = []

    def open_window(*, width: int = 1280, height: int = 900, theme: str = "light") -> Window:
        page = chromium.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="no-preference",
        )
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        found = Window(page, server)
        page.on("console", lambda said: found.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: found.errors.append(str(error)))
        page.on("request", lambda asked: found.outside.append(asked.url) if _outside(asked.url, server) else None)
        every.append(found)
        return found

    yield open_window
    for each in every:
        each.page.close()
    assert [each.errors for each in every if each.errors] == []
    assert [each.outside for each in every if each.outside] == []


def _outside(url: str, server: str) -> bool:
    here = server.removeprefix("http://")
    return not url.startswith((f"http://{here}/", f"ws://{here}/", "data:", "blob:", "about:"))
