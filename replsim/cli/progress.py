"""What a user sees and may press while a run goes on."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

from replsim import front

__all__ = ["ctrl_c", "following", "progress_bar"]


@contextlib.contextmanager
def progress_bar(name: str) -> Iterator[front.Progress]:
    """A bar on stderr, where that is a terminal: it shows the way and vanishes."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    from rich.progress import Progress

    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(name, total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)


@contextlib.contextmanager
def ctrl_c() -> Iterator[Callable[[], None]]:
    """A function that raises KeyboardInterrupt if Ctrl-C was pressed meanwhile.

    Ctrl-C interrupts at once as ever, but Python drops the interrupt when it comes while a destructor runs; then
    the next look at this function ends the run.
    """
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.default_int_handler(number, frame)

    def raise_if_pressed() -> None:
        if pressed:
            raise KeyboardInterrupt

    listening = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if listening:
        signal.signal(signal.SIGINT, press)
    try:
        yield raise_if_pressed
    finally:
        if listening:
            signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def following(name: str) -> Iterator[front.Progress]:
    """What to give to a single run as its ``progress``: a bar, and the end of the run at Ctrl-C."""
    with ctrl_c() as raise_if_pressed, progress_bar(name) as show:

        def progress(fraction: float) -> None:
            raise_if_pressed()
            show(fraction)

        yield progress
