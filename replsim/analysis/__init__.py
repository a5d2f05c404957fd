"""What a record means: metrics and tables as pure functions of what happened.

Importing this package registers every metric, in the order in which they are shown.
"""

from replsim.analysis import (  # noqa: I001 - the order of registration is the order shown
    latency,
    devices,
    lag,
    measured,
    staleness,
    promises,
    conflicts,
    loss,
    ledger,
    retention,
    reads,
    expectations,
)
from replsim.analysis.registry import METRICS, Metric, families, find, metrics, names_for, unit_of

__all__ = [
    "METRICS",
    "Metric",
    "conflicts",
    "devices",
    "expectations",
    "families",
    "find",
    "lag",
    "latency",
    "ledger",
    "loss",
    "measured",
    "metrics",
    "names_for",
    "promises",
    "reads",
    "retention",
    "staleness",
    "unit_of",
]
