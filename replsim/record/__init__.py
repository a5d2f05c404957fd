"""What happened in a run: facts in columns, no judgement."""

from replsim.record.branch import Branch
from replsim.record.happenings import happenings
from replsim.record.record import (
    ACKNOWLEDGED,
    ACKNOWLEDGED_LOCALLY,
    DOWN,
    FAILED,
    OUTCOMES,
    PENDING,
    UNKNOWN,
    Record,
    Replies,
    answered,
)
from replsim.record.table import Table
from replsim.record.trajectory import Trajectory

__all__ = [
    "ACKNOWLEDGED",
    "ACKNOWLEDGED_LOCALLY",
    "DOWN",
    "FAILED",
    "OUTCOMES",
    "PENDING",
    "UNKNOWN",
    "Branch",
    "Record",
    "Replies",
    "Table",
    "Trajectory",
    "answered",
    "happenings",
]
