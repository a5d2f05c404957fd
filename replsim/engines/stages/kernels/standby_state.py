"""What a standby's kernel is given, holds and leaves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.stages.kernels.pace import Pace, Stops

__all__ = [
    "ADDED",
    "APPLIED",
    "ASKED",
    "ASKS",
    "AT_END",
    "BATCHES",
    "BYTES_DONE",
    "FIELDS",
    "FLUSHED",
    "FLUSHED_AT",
    "FREE",
    "LAST_END",
    "LAST_RECORDS",
    "LINE_FREE",
    "LINE_LAST",
    "LINE_RESUMES",
    "MESSAGES",
    "NEVER",
    "RECORDS",
    "RECORDS_DONE",
    "REPLIED",
    "REPLIES",
    "SEEN",
    "STEPS",
    "WRITES",
    "Additions",
    "Applied",
    "Batches",
    "Bounds",
    "Draws",
    "Given",
    "Ints",
    "Replies",
    "Rules",
    "initial",
]

Ints = NDArray[np.int64]

NEVER = 2**63 - 1


class Rules(NamedTuple):
    """The settings of a standby."""

    wakeup: int
    status_interval: int
    bandwidth: int
    """Of its WAL device, and of replay: bytes a second; 0 for no limit."""
    replay_bandwidth: int
    apply_delay: int
    per_record: int
    """The cost of a record, or -1 where it is drawn."""
    background_record: int
    """Bytes of a record of background WAL; 0 where there is none."""
    device: Pace
    """How fast its WAL device is, and its replay."""
    replay: Pace
    stops: Stops
    """When its processes stand still."""


class Additions(NamedTuple):
    """What was added to the log from some place on, at least up to all that is delivered."""

    inserted: Ints
    begin: Ints
    """Where its own bytes begin, behind the background WAL before it."""
    end: Ints
    records: Ints
    """WAL records up to its end, ever, the background's with them."""
    commits: NDArray[np.bool_]
    """Whether it is a commit, not a chunk of a transaction that still runs."""
    asks: NDArray[np.bool_]
    """Whether it asks for a reply once it is replayed: those at ``remote_apply``."""


class Draws(NamedTuple):
    """The cost of each write call, of each flush, and of the replay of each record."""

    write: Ints
    flush: Ints
    record: Ints


class Given(NamedTuple):
    """Messages, as they arrive."""

    arrival: Ints
    position: Ints


class Bounds(NamedTuple):
    """How far a call goes."""

    end: int
    """Up to when an idle receiver is seen to, where no message comes after those that are given; else -1."""
    before: int = NEVER
    """Batches whose flush ends then or later are left."""
    replies: int = NEVER
    """The last moment at which a reply is sent: nobody listens any more, or the receiver knows that;"""
    flush_replies: int = NEVER
    """and the same for those at the end of a flush."""
    dies: bool = False
    """Whether the receiver dies at ``before``, in the midst of a batch."""


class Batches(NamedTuple):
    """Room for batches: when each was written and its flush began, when that ended, and where the batch ends.

    A flush that does not end, because the receiver dies, ends at `NEVER`.
    """

    written: Ints
    flushed: Ints
    position: Ints


class Applied(NamedTuple):
    """Room for the steps of the applied position, and for the replies that replay will ask for."""

    time: Ints
    lsn: Ints
    asked: Ints


class Replies(NamedTuple):
    """Room for replies: when each was processed by the upstream, and what it reports."""

    time: Ints
    write: Ints
    flush: Ints
    apply: Ints


# What a standby's state holds, by place.  Counts are of what the kernel was given and 0 between two calls.
MESSAGES = 0  # taken
ADDED = 1  # handed to replay, of what was added to the log
BATCHES = 2  # done: each takes one draw of a flush
WRITES = 3  # draws taken
RECORDS = 4  # draws taken
REPLIES = 5  # sent
STEPS = 6  # of the applied position, known
SEEN = 7  # of these, before the last reply
ASKED = 8  # replies to come: from the first,
ASKS = 9  # to the last
FLUSHED = 10  # the position flushed, and when that was
FLUSHED_AT = 11
FREE = 12  # when replay, in its own time, has done all that it was handed,
RECORDS_DONE = 13  # with the records and bytes up to there
BYTES_DONE = 14
APPLIED = 15  # the position applied at the last reply
REPLIED = 16  # when that was
AT_END = 17  # when the reply is due that replay asks for once it has run out of WAL
LINE_FREE = 18  # the wire of the replies
LINE_LAST = 19
LINE_RESUMES = 20
LAST_RECORDS = 21  # the last commit or chunk handed to replay: the records up to its end, and where that is
LAST_END = 22
FIELDS = 23


def initial() -> Ints:
    """The state at time zero: idle, and nothing has been received."""
    state = np.zeros(FIELDS, dtype=np.int64)
    state[FLUSHED_AT] = -1
    state[AT_END] = NEVER
    return state
