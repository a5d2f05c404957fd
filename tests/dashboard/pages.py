"""The dashboard's pages without a browser: opened, waited for, and read."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
PATIENCE_SECONDS = 60


def open_page(page: str = "explore", *sets: str, **query: str) -> AppTest:
    """A page as a URL opens it; ``sets`` are its changes, as ``--set`` has them."""
    at = AppTest.from_file(str(APP), default_timeout=PATIENCE_SECONDS)
    for name, text in query.items():
        at.query_params[name] = text
    if sets:
        at.query_params["set"] = list(sets)
    at.run()
    if page != "explore":
        at.switch_page(f"views/{page}.py")
        at.run()
    return settled(at)


def settled(at: AppTest) -> AppTest:
    """The page when its runs have ended: what a browser's polling would bring about."""
    from dashboard.frame import runs
    from dashboard.runs import settle

    for _ in range(20):
        if not any(bar.type == "progress" for bar in at.get("progress")):
            break
        settle(list(runs().jobs()), PATIENCE_SECONDS)
        at.run()
    assert not at.exception, at.exception
    return at


def figure(at: AppTest, title: str) -> dict[str, Any]:
    """The chart whose title begins so, as plotly has it."""
    every = [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]
    (found,) = (each for each in every if each["layout"]["title"]["text"].startswith(title))
    return dict(found)


def words(html: Any) -> str:
    """What a piece of HTML says, without its markup."""
    return re.sub("<.*?>", "", html.proto.body).replace("\u00a0", " ")


def metric(at: AppTest, label: str) -> str:
    """The value of an answer on top of the page."""
    (found,) = (each for each in at.metric if each.label == label)
    return str(found.value)


def numbers(trace: Mapping[str, Any], axis: str) -> NDArray[np.float64]:
    """A trace's values along an axis: plotly packs arrays as bytes."""
    held = trace[axis]
    if isinstance(held, dict):
        return np.frombuffer(base64.b64decode(held["bdata"]), dtype=np.dtype(held["dtype"])).astype(np.float64)
    return np.array([np.nan if value is None else value for value in held], dtype=np.float64)
