"""Connections to servers, through psycopg, which is imported when the first one is made."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from replsim.errors import MissingExtra, ServerFailed

if TYPE_CHECKING:
    import psycopg

__all__ = ["connect", "need_psycopg"]


def need_psycopg() -> None:
    """Raises `MissingExtra` where psycopg is not installed."""
    if importlib.util.find_spec("psycopg") is None:
        raise MissingExtra("psycopg is not installed: pip install 'replsim[postgres]'")


def connect(conninfo: str, *, timeout: int = 10) -> psycopg.Connection[tuple[object, ...]]:
    """A connection on which each statement is a transaction of its own.

    Raises `MissingExtra` where psycopg is not installed, and `ServerFailed` where nobody answers in ``timeout``
    seconds.
    """
    need_psycopg()
    import psycopg

    try:
        return psycopg.connect(conninfo, autocommit=True, connect_timeout=timeout)
    except psycopg.OperationalError as error:
        raise ServerFailed(f"no connection: {str(error).strip()}") from None
