"""Full-page images: the first change of a page after a checkpoint logs the whole page."""

from __future__ import annotations

from replsim.scenario.nodes import Checkpoints

__all__ = ["Pages"]


class Pages:
    """Which pages have been logged in full since the last checkpoint (PostgreSQL's ``full_page_writes``).

    Only the heap page of the row counts; index pages, which a real server logs too, are left out.
    """

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self._logged: dict[int, int] = {}

    def image(self, key: int, time: int) -> int:
        """Bytes that a change of row ``key`` at ``time`` logs on top of its record; times must not go back."""
        page = key // self._checkpoints.rows_per_page
        cycle = time // self._checkpoints.every
        if self._logged.get(page) == cycle:
            return 0
        self._logged[page] = cycle
        return self._checkpoints.page_image
