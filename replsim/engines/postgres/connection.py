"""Connections to servers, through psycopg, which is imported when the first one is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replsim.errors import MissingExtra, ServerFailed

if TYPE_CHECKING:
    import psycopg

__all__ = ["connect"]


def connect(conninfo: str, *, timeout: int = 10) -> psycopg.Connection[tuple[object, ...]]:
    """A connection on which each statement is a transaction of its own.

    Raises `MissingExtra` where psycopg is not installed, and `ServerFailed` where nobody answers in ``timeout``
    seconds.
    """
    try:
        import psycopg
    except ImportError as error:
        raise MissingExtra("psycopg is not installed: pip install 'replsim[postgres]'") from error
    try:
        return psycopg.connect(conninfo, autocommit=True, connect_timeout=timeout)
    except psycopg.OperationalError as error:
        raise ServerFailed(f"no connection: {str(error).strip()}") from None
