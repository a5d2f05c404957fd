"""The ledger: what became of every commit, how far back a failure took the cluster, and what readers had seen."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import replsim
from replsim.units import NEVER, SECOND

CUT_OFF = """
name: cut off, then dead
duration: 400ms
wakeup: 0s
primary: {wal_device: {flush: 100us, write: 0s}}
standbys: {s1: {wal_device: {flush: 100us, write: 0s}, wal_receiver_timeout: 60s}}
links: {p -> s1: {latency: 1ms}}
writers: {app: {rate: 100/s, arrivals: deterministic, execution: 1ms}}
readers:
  near: {rate: 1000/s, route: primary}
failover: {manager: manual, at: 200ms, promote: s1, promotion: 1ms, routing: 10ms}
faults:
  - {at: 102ms, cut: p -> s1}
  - {at: 150ms, crash: p}
"""


@cache
def cut_off() -> replsim.Result:
    """A primary that is cut off, goes on for 48 ms, dies, and is replaced by a standby that lacks those."""
    return replsim.run(replsim.loads(CUT_OFF))


def test_rpo_is_the_time_from_the_last_safe_acknowledgement_to_the_failure() -> None:
    """What was acknowledged up to some moment is safe; all after that, up to the crash, is what was gone back."""
    result = cut_off()
    told, fate = result.commits["acknowledged"], fates(result)
    before = told[(told < 150_000_000) & (fate == "survived")]
    assert result.metrics["lost_commits"] == np.count_nonzero((fate == "lost") & (told < NEVER)) == 4
    assert result.metrics["rpo.seconds"] == pytest.approx((150_000_000 - before.max()) / SECOND)
    assert result.metrics["rpo.seconds"] > 0.048


def test_one_lost_commit_is_not_an_rpo_of_zero() -> None:
    """The commit acknowledged 4 ms before the crash is lost alone; the last safe one was 10 ms before it."""
    late = replsim.loads(CUT_OFF).changed(faults=[{"at": "142ms", "cut": "p -> s1"}, {"at": "155ms", "crash": "p"}])
    found = replsim.run(late).metrics
    assert found["lost_commits"] == 1
    assert 0.010 < found["rpo.seconds"] < 0.020


def test_nothing_lost_is_an_rpo_of_zero() -> None:
    """Where the standby had everything, nothing was gone back."""
    found = replsim.run(replsim.loads(CUT_OFF).changed(faults=[{"at": "155ms", "crash": "p"}])).metrics
    assert (found["lost_commits"], found["rpo.seconds"], found["rpo.bytes"]) == (0, 0, 0)


def test_every_transaction_has_a_fate() -> None:
    """Commits survive or are lost; what found no primary was in no log."""
    result = cut_off()
    fate, outcome = fates(result), np.array(result.commits.words["outcome"])[result.commits["outcome"]]
    assert set(fate[outcome == "failed"]) == {"not written"}
    assert set(fate[outcome == "acknowledged"]) == {"survived", "lost"}
    assert np.all((fate == "not written") == (result.commits["lsn"] == NEVER))


def test_a_reader_may_have_seen_what_is_lost() -> None:
    """Reads of the primary saw every commit that was visible before the crash, the lost ones among them."""
    result = cut_off()
    visible, seen = result.commits["visible"], result.commits["seen_by_reader"]
    assert seen[fates(result) == "lost"].all()
    assert not seen[visible == NEVER].any()


def test_nobody_sees_where_nobody_reads() -> None:
    """Without readers no commit was seen."""
    assert not replsim.run(replsim.loads(CUT_OFF).changed(readers={})).commits["seen_by_reader"].any()


def test_a_read_of_a_standby_sees_what_is_applied_there() -> None:
    """Without a failure, whoever reads a standby has seen just what it had applied at the last look."""
    calm = replsim.loads(CUT_OFF).changed(
        faults=[], failover={"manager": "none"}, readers={"far": {"rate": "100/s", "route": "s1"}}
    )
    result = replsim.run(calm)
    lsn, last = result.commits["lsn"], result.reads["looked"].max()
    assert np.array_equal(result.commits["seen_by_reader"], lsn <= result.position("s1", "apply").at(last))


def fates(result: replsim.Result) -> np.ndarray:
    """The fate of each transaction, as a word."""
    return np.array(result.commits.words["fate"])[result.commits["fate"]]
