"""The page of closed forms, and of the paper's table: what each assumes, what it says, and what came out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from replsim.proof.closed_forms import CLOSED_FORMS
from replsim.proof.finding import Finding
from replsim.proof.form import ClosedForm
from replsim.proof.theory import finding
from replsim.proof.wars import findings as paper

__all__ = ["ASSUMED", "assumed", "markdown", "written"]

HEAD: Final = """\
# Closed forms and a paper's table

<!-- Written by docs/build.py --all from the runs themselves: change those, not this page. -->

Each line is a scenario that was run through the whole engine, and the number that theory gives for it exactly. Nothing
costs anything there but what the form speaks of. Fixed seeds; an interval is four standard errors to each side, so that
all of them may be expected to hold at once, and none is wider than 2% where it judges (half a 95% interval, for the
forms). *exact* means that nothing is random: the number agrees to the nanosecond. `replsim prove` repeats all of it;
wrong models, made on purpose, fail it (`tests/theory/mutants.py`).

| no. | quantity | formula | assumes | theory | simulated | interval | |
|---|---|---|---|---|---|---|---|
"""
PBS_HEAD: Final = """
## PBS: stale reads of R of N replicas

Bailis et al., *Probabilistically Bounded Staleness for Practical Partial Quorums*, PVLDB 5(8), 2012. Their model WARS
is a scenario as any other: `scenarios/pbs` has LinkedIn's two data sets and the exponential case. A primary without
storage cost is the coordinator; three standbys without one are the replicas; the links carry the delays W and A; `ANY
W` waits for acknowledgements; readers ask all three over ways of their own, R and S, and take the newest of the first
R answers (`route: {quorum: R}`). Assumed: commits are so sparse that they never meet, and all delays are independent.

*Published* are the quantiles and chances of ten million trials of the model (the paper's own table has few digits, and
a bias); for exponential delays theory is exact: a read that starts t after the acknowledgement is stale with chance
P e^(−λt).

To try other delays, change the links and the readers' ways; any mixture of the families will do. Commits must be so
sparse that they never meet (`writers.app.rate`); where replicas are farther away, a link's constant part is its
`latency` and the rest its `jitter`, and a reader's own way to a node may be a `scipy` family with a `loc`:

```python
from replsim import load
from replsim.engines import stages
from replsim.proof import pbs

changes = {f'links."p -> {node}".latency': "{pareto: {minimum: 1ms, shape: 3}}" for node in ("s1", "s2", "s3")}
record = stages.run(load("pbs/lnkd-ssd", overrides={"duration": "200000s", **changes}), seed=1)
seen = pbs.looks(record, "r1")
value, error = pbs.quantile(seen, seen.late, 0.99)
print(f"99% of reads of one replica are fresh {value:.2f} ms after the acknowledgement, ± {4 * error:.2f}")
```

| quantity | published | simulated | interval | |
|---|---|---|---|---|
"""

ASSUMED: Final[dict[int | str, str]] = {
    1: "Poisson arrivals, one FIFO server: the line of a link",
    2: "Poisson arrivals, exponential service, one FIFO server",
    3: "M/M/1 stages with independent service: a link, then replay",
    4: "a fixed latency L and think time Z, nothing shared",
    5: "one flush at a time, which takes all that waits at its start; fixed flush time s, exponential think time",
    6: "n independent exponential round trips of mean m, sparse commits",
    7: "n independent uniform round trips, sparse commits",
    8: "two independent exponential round trips with rates a and b, sparse commits",
    9: "n independent round trips with distribution F, sparse commits",
    10: "Poisson writes at rate l to one key, reads at random times, one constant delay D",
    11: "Poisson writes at rate L, independent delays; whether any is under way does not depend on order",
    12: "Poisson writes at rate L, l of them to the key, independent raw delays F, released in order",
    13: "Poisson writes at rate L, raw delays exponential with mean m, released in order",
    14: "Poisson writes; a host that dies takes what is in flight with it (`in_flight: lost`), or what it has sent "
    "arrives (`in_flight: arrives`), as the scenario says",
    15: "as 13",
    16: "Poisson commits at `off`, a crash at a random moment, a WAL writer that flushes all every w and takes no time",
    17: "fluid: writes at λ, replay at μ < λ, for a time t",
    18: "fluid: writes at λ, replay at μ > λ, and a standby that is away for T",
    19: "one commit at a time; only flushed WAL is shipped, so stages add up",
    20: "one stream with so many unacknowledged bytes at most",
    "sojourn with 3 connections, M/M/3": "Poisson arrivals, exponential executions, c connections (Erlang C, a = λ/μ)",
    "group commit, open loop": "Poisson arrivals at λ, fixed flush time s",
    "commit over a link that loses packets": "independent losses with chance p; the timeout doubles at each",
    "commit of a large record": "as 19, in messages of 128 kB over a line of a bandwidth",
    "commit of a tiny record": "as 19; a record is at least one byte",
    "replay on a cascaded standby": "one commit at a time, two hops",
}
"""By number, or by name for forms that are not in the table."""


def assumed(form: ClosedForm) -> str:
    """What a closed form takes for granted."""
    return ASSUMED[form.number or form.name]


def written(form: ClosedForm) -> str:
    """The part of a form's line that does not come from a run."""
    unit = f" {form.unit}" if form.unit else ""
    number = str(form.number) if form.number else ""
    return f"| {number} | {form.name} | {form.formula} | {assumed(form)} | {form.truth:.5g}{unit} |"


def markdown(published: Iterable[Finding] | None = None) -> str:
    """The page; ``published`` are the paper's findings, where they are known already."""
    lines = [HEAD.rstrip("\n")]
    for form in CLOSED_FORMS.values():
        found = finding(form)
        lines.append(f"{written(form)} {found.found} | {found.interval} | {_mark(found)} |")
    lines.append(PBS_HEAD.rstrip("\n"))
    found_there: Sequence[Finding] = list(paper() if published is None else published)
    lines += [
        f"| {each.name} | {each.expected} | {each.found} | {each.interval} | {_mark(each)} |" for each in found_there
    ]
    held = sum(each.held for each in found_there)
    return "\n".join(lines) + f"\n\n{held} of {len(found_there)} hold.\n"


def _mark(found: Finding) -> str:
    return "✓" if found.held else "**✗**"
