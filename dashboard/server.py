"""What is served: the app, and one line in its page.

Streamlit's page looks for its server below the page's own path first, so that each link to ``/follow`` begins with two
requests that fail.  Told where the server is, it does not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from starlette.middleware import Middleware
from streamlit import App

from dashboard import warmup

_TOLD: Final = b"<script>window.__streamlit = {BACKEND_BASE_URL: location.origin};</script>"


class TellTheServer:
    """Puts the line into every HTML page that passes."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on; a page's answer waits until it is whole, and gets the line."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # What the server would compress could not be read here.
        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        wants_page = any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
        start: dict[str, Any] = {}
        body = b""

        async def keep(message: dict[str, Any]) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                whole = body.replace(b"<head>", b"<head>" + _TOLD, 1)
                length = (b"content-length", str(len(whole)).encode())
                start["headers"] = [each for each in start["headers"] if each[0] != length[0]] + [length]
                await send(start)
                await send({"type": "http.response.body", "body": whole})

        if wants_page:
            await self.app(scope | {"headers": headers}, receive, keep)
        else:
            await self.app(scope, receive, send)


warmup.start()
app = App(Path(__file__).with_name("app.py"), middleware=[Middleware(TellTheServer)])
