"""The stage engine: the event engine's pipeline as compiled loops over arrays, for open-loop workloads."""

from replsim.engines.stages.covers import covers
from replsim.engines.stages.engine import run

__all__ = ["covers", "run"]
