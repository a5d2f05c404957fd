"""The commented scenario that ``replsim new`` writes."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["starter"]


def starter() -> str:
    """A realistic cluster of three nodes, with a comment beside each choice, as YAML."""
    return files("replsim.scenario").joinpath("starter.yaml").read_text(encoding="utf-8")
