"""Open-loop users: each writes at its own pace, however many they are."""

from __future__ import annotations

import numpy as np

import replsim

TEXT = """
name: users
duration: 20s
sessions:
  users: {{count: {count}, write_every: {{exponential: {{mean: {mean}}}}}, connections: 90}}
"""


def test_users_write_at_their_own_pace() -> None:
    """Each user's writes are a Poisson process of its own rate: as many as expected, and as scattered."""
    commits = replsim.run(replsim.loads(TEXT.format(count=400, mean="1s"))).commits
    writes = np.bincount(commits["client"], minlength=400)
    assert len(writes) == 400
    assert abs(writes.mean() - 20) < 4 * np.sqrt(20 / 400)
    # For a Poisson count the variance is the mean; its own standard error is that of a chi-square.
    assert abs(writes.var(ddof=1) / 20 - 1) < 4 * np.sqrt(2 / 399)


def test_users_are_out_of_step_from_the_start() -> None:
    """Users who write every second do so at moments spread evenly over it, and each exactly every second."""
    commits = replsim.run(replsim.loads(TEXT.format(count=300, mean="1s").replace("{exponential: {mean: 1s}}", "1s")))
    submitted, user = commits.commits["submitted"], commits.commits["client"]
    assert len(submitted) == 300 * 20
    order = np.lexsort((submitted, user))
    assert np.all(np.diff(submitted[order].reshape(300, 20)) == 10**9)
    first = np.sort(submitted[order].reshape(300, 20)[:, 0]) / 1e9
    # Kolmogorov and Smirnov's distance from uniform, at one in a thousand.
    assert np.max(np.abs(first - (np.arange(300) + 0.5) / 300)) < 1.95 / np.sqrt(300)


def test_a_multitude_of_users_is_one_stream() -> None:
    """A hundred thousand users are no more than one: their draws come from one stream, not from one each."""
    commits = replsim.run(replsim.loads(TEXT.format(count=100_000, mean="2000s"))).commits
    assert abs(len(commits) - 1000) < 4 * np.sqrt(1000)
    assert np.all(np.diff(commits["submitted"]) >= 0)
