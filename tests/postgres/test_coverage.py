"""What real servers cannot do is said before any is started: refused by name, or noted by name."""

from __future__ import annotations

import pytest

import replsim
from replsim.engines.postgres.coverage import notes
from replsim.errors import UnsupportedScenario

BASE = """
name: base
duration: 1s
primary: {name: db, synchronous_standby_names: ANY 1 (s1)}
standbys: {s1: {}}
links: {db -> s1: {latency: 1ms}}
writers: {app: {rate: 10/s, execution: 1ms}}
"""


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"sessions.u": "{count: 2, write_every: 1s}"}, "sessions.u"),
        ({"writers.app.chunk": "1 kB"}, "writers.app.chunk"),
        ({"writers.app.keys": "{count: 5, lock: true}"}, "writers.app.keys.lock"),
        ({'links."db -> s1".window': "64 kB"}, 'links."db -> s1".window'),
        ({"faults": "[{at: 100ms, for: 100ms, stall: db}]"}, "faults[0]"),
        ({"failover": "{manager: patroni}"}, "failover"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(change: dict[str, str], named: str) -> None:
    """The message names the place in the scenario, and no server has been started."""
    scenario = replsim.loads(BASE, overrides=change)
    with pytest.raises(UnsupportedScenario) as refused:
        replsim.run(scenario, engine="postgres")
    assert f"  {named}: " in str(refused.value)


def test_all_is_refused_at_once() -> None:
    """Whoever asks for two things that cannot be done hears of both."""
    scenario = replsim.loads(BASE, overrides={"writers.app.chunk": "1 kB", "failover": "{manager: quorum}"})
    with pytest.raises(UnsupportedScenario, match=r"writers\.app\.chunk(.|\n)*failover"):
        replsim.run(scenario, engine="postgres")


def test_what_something_real_decides_is_noted_by_name() -> None:
    """Disks, replay and wake-ups are this machine's: the result says so by their names."""
    noted = "\n".join(notes(replsim.loads(BASE)))
    for name in ("db.wal_device", "s1.wal_device", "s1.replay", "wakeup", "writers.app.execution", "commits.visible"):
        assert name in noted
