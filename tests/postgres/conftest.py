"""What tests of real servers share: whether there is a PostgreSQL, and a place to run it in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replsim.engines.postgres.binaries import Binaries
from replsim.engines.postgres.workspace import Workspace
from replsim.errors import MissingExtra


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    """PostgreSQL's programs; without them, tests that need a server are skipped."""
    try:
        return Binaries.find()
    except MissingExtra as missing:
        pytest.skip(str(missing))


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    """A folder for servers, removed with all that runs in it."""
    with Workspace() as opened:
        yield opened
