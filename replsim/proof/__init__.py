"""Proof: closed forms, a paper's table, two engines against each other, and a real server."""

from replsim.proof.finding import Finding
from replsim.proof.sections import SECTIONS, Section

__all__ = ["SECTIONS", "Finding", "Section"]
