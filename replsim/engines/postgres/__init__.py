"""The engine that runs a scenario on real PostgreSQL servers of this machine."""

from replsim.engines.postgres.engine import run

__all__ = ["run"]
