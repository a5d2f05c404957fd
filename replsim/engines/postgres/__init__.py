"""The engine that runs a scenario on real PostgreSQL servers of this machine."""
