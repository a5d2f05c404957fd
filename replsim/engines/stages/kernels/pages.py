"""Full-page images as a kernel: the first change of a page after a checkpoint logs the whole page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replsim.kernels.compiled import compiled
from replsim.scenario.nodes import Checkpoints

__all__ = ["Pages", "images"]

Ints = NDArray[np.int64]


class Pages:
    """In which cycle between checkpoints each page was logged in full last."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self.rows_per_page = checkpoints.rows_per_page
        self.every = checkpoints.every
        self.bytes = checkpoints.page_image
        self.logged = np.empty(0, dtype=np.int64)


def images(page: Ints, time: Ints, pages: Pages) -> Ints:
    """Bytes that each change of a ``page`` (-1 for none) at a time logs on top of its record, in their order."""
    most = int(page.max(initial=-1)) + 1
    if most > len(pages.logged):
        pages.logged = np.concatenate([pages.logged, np.full(2 * most - len(pages.logged), -1, dtype=np.int64)])
    added = np.zeros_like(page)
    _first_changes(page, time // pages.every, pages.logged, pages.bytes, added)
    return added


@compiled
def _first_changes(page: Ints, cycle: Ints, logged: Ints, image: int, added: Ints) -> None:
    for i in range(len(page)):
        if page[i] >= 0 and logged[page[i]] != cycle[i]:
            logged[page[i]] = cycle[i]
            added[i] = image
