"""The dashboard in a real Chromium: one server and one browser for all tests, a fresh window for each.

Whatever a test does, its window may report no error and ask nobody but this machine for anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.window import CHROMIUM, PATIENCE_SECONDS, Window, browsing, serving

expect.set_options(timeout=PATIENCE_SECONDS * 1000)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard, started as a user starts it; it ends without a traceback."""
    log = tmp_path_factory.mktemp("dashboard") / "log"
    with serving(log) as address:
        yield address
    assert "Traceback" not in log.read_text(encoding="utf-8"), log.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser."""
    if not CHROMIUM:
        pytest.skip("there is no Chromium: apt-get install chromium fonts-liberation")
    with browsing() as browser:
        yield browser


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
        every.append(Window(page, server))
        return every[-1]

    yield open_window
    for each in every:
        each.page.close()
    assert [each.errors for each in every if each.errors] == []
    assert [each.outside for each in every if each.outside] == []
