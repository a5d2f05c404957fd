"""How soon a knob shows: from a key on a slider to the last chart of Explore redrawn, in headless Chromium.

``make redraw`` runs it: for each of two knobs of the first scenario the median of ten turns, every one to a value that
was not run before.  The browser's own clock measures, from the key's event to the frame after the last change to what
any chart draws: no spinner, no placeholder and no half of a page passes for an answer.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

import replsim
from dashboard.links import DEFAULT
from tests.browser.window import Window, browsing, serving

TURNS: Final = 10
FIRST: Final = 2
"""Turns before those that count."""
BOUND_MS: Final = 1_000
KNOBS: Final = {
    "Writes": ("?set=writers.app.rate=2000/s", 6),
    "Replay cost": ("", 3),
}
"""Slider → where it starts, and how many of the charts it changes: how a standby replays delays no commit."""

WATCH: Final = """() => {
  const drawn = () => [...document.querySelectorAll('.js-plotly-plot .cartesianlayer')].map((each) => each.innerHTML);
  const watch = window.redraw = {pressed: 0, last: 0, before: []};
  const inChart = (change) => change.target.closest?.('.js-plotly-plot');
  new MutationObserver((changes) => {
    if (changes.some(inChart)) requestAnimationFrame(() => { watch.last = performance.now(); });
  }).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['d', 'transform']});
  document.addEventListener('keydown', () => {
    watch.before = drawn();
    watch.last = watch.pressed = performance.now();
  }, {capture: true});
  watch.done = (changed) => document.querySelector('[data-test-script-state=notRunning]')
    && drawn().filter((each) => !watch.before.includes(each)).length === changed
    && performance.now() - watch.last > 700;
}"""
"""Notes when a key is pressed and when a chart last changed; ``done(n)``: n of them have, and none has for 0.7 s."""


def turns(window: Window, knob: str) -> list[float]:
    """Milliseconds from each press of an arrow key to the last chart redrawn."""
    path, changed = KNOBS[knob]
    page = window.open(path)
    slider = page.get_by_role("slider", name=knob).first
    slider.focus()
    page.wait_for_timeout(3_000)
    page.evaluate(WATCH)
    took = []
    for _ in range(FIRST + TURNS):
        slider.press("ArrowLeft")
        page.wait_for_function("(changed) => window.redraw.done(changed)", arg=changed)
        took.append(float(page.evaluate("window.redraw.last - window.redraw.pressed")))
        slider.focus()
    return took[FIRST:]


def main() -> int:
    """Measure each knob and print it; 1 where the bound is missed."""
    assert replsim.run(DEFAULT).engine == "stages"
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log") as address, browsing() as browser:
        took = {}
        for knob in KNOBS:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            took[knob] = turns(Window(page, address), knob)
            page.close()
    for knob, each in took.items():
        median = statistics.median(each)
        word = "pass" if median < BOUND_MS else "MISS"
        said = f"{knob}: from a key to redrawn charts, median of {len(each)}"
        print(f"{said:<58} {median:>10,.0f} ms       < {BOUND_MS}   {word}   ({min(each):.0f}-{max(each):.0f})")
    return 0 if all(statistics.median(each) < BOUND_MS for each in took.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
