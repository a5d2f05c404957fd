"""The command line: parse, call the front, print.  Nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends in SystemExit, as a program does."""
    from replsim.cli.app import app

    app(args=arguments, prog_name="replsim")
