"""PBS: how stale reads of R of N replicas are, as a paper worked it out, through the ordinary engine.

Bailis et al., *Probabilistically Bounded Staleness for Practical Partial Quorums*, PVLDB 5(8), 2012.  In its model
WARS a coordinator sends a write to N replicas; it reaches each after W, and the acknowledgement is back after A.  A
read reaches each after R, and its answer is back after S.  The commit is done with the W-th acknowledgement, the read
with the R-th answer; it takes the newest of these.

That is a scenario as any other (`scenarios/pbs`): a primary without storage cost, standbys without one, ``ANY W``, and
readers with ``route: {quorum: R}``.  The engine runs the commits, and the record says when each was at each standby.
From there, and from a reader's own ways, follows how late a read may start and still miss a commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.errors import UnsupportedScenario
from replsim.proof.estimators import Estimate, controlled
from replsim.randomness import DurationDistribution, Streams
from replsim.record import Record
from replsim.scenario.network import Link
from replsim.scenario.topology import client_ways, link_between

__all__ = ["Law", "Looks", "looks", "mean", "probability", "quantile", "survival", "together"]

Floats = NDArray[np.float64]

READS: Final = 3
"""Independent reads that look for each commit."""
FEWEST: Final = 30
"""Commits for which a control must differ from the others."""
NEAR: Final = 0.3
"""The density at a quantile is read off so near to it, as a share of what lies beyond it."""
MOST_MEETING: Final = 1e-3
"""The share of commits that may still be on their way when the next one comes."""
LAST: Final = 2
"""Commits at the end of a run that may not be everywhere yet."""
MILLISECOND: Final = 1e6


class Law(NamedTuple):
    """How long a link takes: a distribution, on top of a constant number of milliseconds; None where it is neither."""

    draws: DurationDistribution | None
    beyond: float = 0.0


class Looks(NamedTuple):
    """What the reads of one reader found, in milliseconds: a row a commit, and for reads a column a read."""

    commit: Floats
    """Commit latency, a row a commit."""
    read: Floats
    """Read latency."""
    late: Floats
    """How long after the acknowledgement a read sees the commit for the first time; below 0: from the start."""
    delays: Floats
    """The delay of the write to each standby, then that of its acknowledgement: a column a standby."""
    laws: tuple[Law, ...]
    """The laws of these delays."""


def looks(record: Record, reader: str) -> Looks:
    """What reads of ``reader``, which asks a quorum, find of each commit of a run of sparse commits."""
    scenario, commits = record.scenario, record.commits
    asking = scenario.readers[reader]
    quorum = asking.route.quorum
    assert quorum is not None
    nodes = asking.route.nodes(scenario.primary.name, tuple(scenario.standbys))
    lsn, told = (commits[name][:-LAST] for name in ("lsn", "acknowledged"))
    _refuse_dense(record, nodes, lsn)
    streams, count = Streams(record.seed), len(lsn)
    out, back = np.empty((len(nodes), count, READS)), np.empty((len(nodes), count, READS))
    for place, node in enumerate(nodes):
        way = client_ways(scenario, asking, node)
        for ways, law, name in ((out, way.out, "out"), (back, way.back, "back")):
            drawn = streams.draws(f"pbs:{reader}:{name}:{node}", law).block(count * READS)
            ways[place] = drawn.reshape(count, READS) / MILLISECOND
    there = np.stack([record.position(node, "apply").crossing(lsn) - told for node in nodes]) / MILLISECOND
    first, *others = (client_ways(scenario, asking, node) for node in nodes)
    if all(ways == first for ways in others):
        # All ways have one law, so a read whose ways are handed round is as likely: each draw gives a read a standby.
        turns = range(len(nodes))
        out, back = (np.concatenate([np.roll(ways, turn, axis=0) for turn in turns], axis=2) for ways in (out, back))
    answers = out + back
    order = np.argsort(answers, axis=0)[:quorum]
    first_seen = np.take_along_axis(there[:, :, None] - out, order, axis=0).min(axis=0)
    done = np.take_along_axis(answers, order[-1:], axis=0)[0]
    delays, laws = [], []
    for stages, outwards in ((("sent", "receive"), True), (("write", "reported_write"), False)):
        for node in nodes:
            left, came = (record.position(node, stage).crossing(lsn) for stage in stages)
            delays.append((came - left) / MILLISECOND)
            ends = (scenario.primary.name, node)
            link = link_between(scenario, *(ends if outwards else ends[::-1]))
            assert link is not None
            laws.append(_law(link))
    commit = (told - commits["submitted"][:-LAST]) / MILLISECOND
    return Looks(commit, done, first_seen, np.stack(delays, axis=1), tuple(laws))


def together(runs: Sequence[Looks]) -> Looks:
    """The looks of several runs of one scenario."""
    commit, read, late, delays = (
        np.concatenate([getattr(run, name) for run in runs]) for name in ("commit", "read", "late", "delays")
    )
    return Looks(commit, read, late, delays, runs[0].laws)


def mean(values: Floats) -> Estimate:
    """The mean of what was found."""
    return controlled(_a_commit(values), [])


def probability(seen: Looks, at: float) -> Estimate:
    """The chance that a read that starts ``at`` milliseconds after the acknowledgement sees the commit."""
    fresh = _a_commit(seen.late <= at)
    plain, sharp = controlled(fresh, []), controlled(fresh, _controls(seen, [at + each for each in _typical(seen)]))
    # Where late writes alone decide, the controls would leave nothing that was simulated.
    return sharp if sharp.error > plain.error / 100 else plain


def quantile(seen: Looks, values: Floats, fraction: float) -> Estimate:
    """A quantile of what was found; the controls say how many more writes were late than should have been.

    The sample's quantile is moved by what is left over, divided by the density there (Bahadur 1966).  Read latencies
    have nothing to do with the writes, and get no controls.
    """
    near = (1 - fraction) * NEAR
    low, at, high = np.quantile(values, [fraction - near, fraction, fraction + near])
    thresholds = [at * each for each in (0.7, 0.8, 0.9, 1.0)]
    if values is seen.late:
        thresholds = [at + each for each in _typical(seen)]
    elif values is seen.read:
        thresholds = []
    above = controlled(_a_commit(values > at), _controls(seen, thresholds))
    density = float(2 * near / (high - low))
    return Estimate(float(at) + (above.value - (1 - fraction)) / density, above.error / density)


def survival(law: DurationDistribution, at: float) -> float | None:
    """The chance that a draw is above ``at`` milliseconds, or None where it is not worked out for this family.

    >>> survival(DurationDistribution.model_validate({"exponential": {"mean": "2ms"}}), 2.0)
    0.36787944117144233
    """
    if law.mixture is not None:
        chances = [survival(part.of, at) for part in law.mixture]
        if None in chances:
            return None
        weights = [part.weight for part in law.mixture]
        return float(np.average([chance for chance in chances if chance is not None], weights=weights))
    if at <= 0:
        return 1.0
    if law.constant is not None:
        return float(law.constant / MILLISECOND > at)
    if law.exponential is not None:
        return float(np.exp(-at * MILLISECOND / law.exponential.mean))
    if law.pareto is not None:
        return min(1.0, float((law.pareto.minimum / MILLISECOND / at) ** law.pareto.shape))
    return None


def _a_commit(values: NDArray[np.generic]) -> Floats:
    """What each commit's reads found on average: reads of one commit depend on each other, commits do not."""
    found = np.asarray(values, dtype=np.float64)
    return found.mean(axis=1) if found.ndim > 1 else found


def _law(link: Link) -> Law:
    """The law of a link's delay, where it is one distribution and perhaps a constant."""
    if link.hold is not None or link.loss or link.bandwidth is not None:
        return Law(None)
    if link.jitter is None:
        return Law(link.latency)
    constant = link.latency.constant
    return Law(None) if constant is None else Law(link.jitter, constant / MILLISECOND)


def _refuse_dense(record: Record, nodes: Sequence[str], lsn: NDArray[np.int64]) -> None:
    """Raise `UnsupportedScenario` where writes meet: then one holds up the next, which the model knows nothing of."""
    done = np.max([record.position(node, "apply").crossing(lsn) for node in nodes], axis=0)
    met = float(np.mean(done[:-1] >= record.commits["submitted"][1 : len(lsn)])) if len(lsn) > 1 else 1.0
    if met > MOST_MEETING:
        raise UnsupportedScenario(f"{met:.2%} of all commits are not everywhere when the next comes: make them sparser")


def _typical(seen: Looks) -> list[float]:
    """By how much a write that a read misses is later than the read: by the commit and the read's own way."""
    return [float(each) for each in np.quantile(seen.commit, [0.1, 0.5, 0.9])] + [0.0]


def _controls(seen: Looks, thresholds: Sequence[float]) -> list[Floats]:
    """Whether for at least m standbys the write (or the write or its acknowledgement) took longer than a threshold,
    less the chance of it."""
    controls: list[Floats] = []
    chosen: list[NDArray[np.bool_]] = []
    nodes = len(seen.laws) // 2
    for at in thresholds:
        chances = [None if law.draws is None else survival(law.draws, at - law.beyond) for law in seen.laws]
        if None in chances:
            continue
        out, back = np.array(chances, dtype=np.float64).reshape(2, nodes)
        late = seen.delays > at
        for slow, chance in ((late[:, :nodes], out), (late[:, :nodes] | late[:, nodes:], 1 - (1 - out) * (1 - back))):
            law = np.array([1.0])  # of how many standbys are slow
            for each in chance:
                law = np.convolve(law, [1 - each, each])
            count = slow.sum(axis=1)
            for least in range(1, nodes + 1):
                some = count >= least
                if all(np.count_nonzero(some != known) >= FEWEST for known in (False, True, *chosen)):
                    chosen.append(some)
                    controls.append(some - float(law[least:].sum()))
    return controls
