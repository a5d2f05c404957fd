"""Run the swarm: ``python -m tests.swarm --count 20000``, or one of it again: ``python -m tests.swarm --seed 7``."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.swarm.swarm import failures, told

EVERY_S = 10.0


def main() -> int:
    """Returns 1 where a scenario broke an invariant."""
    parser = argparse.ArgumentParser(prog="python -m tests.swarm", description=__doc__)
    parser.add_argument("--seed", type=int, help="run one scenario, and print it")
    parser.add_argument("--first", type=int, default=0, help="the first seed (to resume)")
    parser.add_argument("--count", type=int, default=20_000, help="how many scenarios")
    asked = parser.parse_args()
    if asked.seed is not None:
        print(told(asked.seed))
        return int(bool(failures(asked.seed)))
    start = reported = time.monotonic()
    bad = 0
    left_out: Counter[str] = Counter()
    seeds = range(asked.first, asked.first + asked.count)
    for done, seed in enumerate(seeds, 1):
        limits: list[str] = []
        if failures(seed, limits):
            bad += 1
            print(f"\n{told(seed)}", flush=True)
        left_out.update(limits)
        now = time.monotonic()
        if now - reported > EVERY_S or done == len(seeds):
            reported = now
            left = (now - start) / done * (len(seeds) - done)
            print(
                f"{done:,} of {len(seeds):,} scenarios, {bad} bad, {left / 60:.0f} min left; "
                f"resume with --first {seed + 1} --count {len(seeds) - done}",
                flush=True,
            )
    for limit, count in left_out.most_common():
        print(f"not checked in {count:,} of them: {limit}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
