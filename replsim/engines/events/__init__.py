"""The event engine: a discrete-event simulation on SimPy, the reference for all the others."""

from replsim.engines.events.engine import run

__all__ = ["run"]
