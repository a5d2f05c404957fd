"""Two engines, written independently: the same record, to the nanosecond."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from replsim import front
from replsim.engines import events, stages
from replsim.errors import UnsupportedScenario
from replsim.proof.finding import Finding

__all__ = ["SECTION", "findings"]

SECTION: Final = "differential"
LONGEST: Final = "60s"


def findings() -> Iterator[Finding]:
    """Every shipped scenario that both engines run: the hashes of all columns of their records.

    One that the stage engine leaves to the event engine as it runs is left out, with the reason.
    """
    for name, file in front.shipped().items():
        scenario = front.load(file)
        if stages.covers(scenario) or name.startswith("pbs/"):
            continue
        if scenario.duration > 60 * 10**9:
            scenario = scenario.changed(duration=LONGEST, warmup="0s", expect=[])
        try:
            other = stages.run(scenario, scenario.seed)
        except UnsupportedScenario as found:
            yield Finding(SECTION, name, "", "left out", "", False, known=str(found))
            continue
        one = events.run(scenario, scenario.seed)
        same = one.digest() == other.digest()
        commits = f"{len(one.commits):,} commits"
        yield Finding(SECTION, name, one.digest()[:12], other.digest()[:12], commits, same)
