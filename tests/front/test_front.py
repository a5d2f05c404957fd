"""The front door: load, run, and what a result offers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import replsim
from replsim import choice, front
from replsim.analysis import unit_of
from replsim.errors import ReplsimError, ScenarioError, UnitError, UnknownMetric, UnsupportedScenario

TEXT = """
name: front
duration: 500ms
warmup: 100ms
seed: 3
primary:
  synchronous_standby_names: ANY 1 (s1, s2)
standbys: {s1: {}, s2: {}}
links: {p -> s1: {latency: 1ms}, p -> s2: {latency: 3ms}}
writers: {app: {rate: 400/s}}
readers: {web: {rate: 200/s}}
expect: [commit_latency.p99 < 1s]
"""


class Cancelled(Exception):
    """What a caller's own progress function raises."""


@pytest.fixture(scope="module")
def result() -> replsim.Result:
    """One run for all that look at a result."""
    return replsim.run(replsim.loads(TEXT))


def test_a_scenario_a_path_and_a_name_run_alike(tmp_path: Path) -> None:
    """Whatever is handed to ``run``, the same scenario gives the same record."""
    file = tmp_path / "front.yaml"
    file.write_text(TEXT, encoding="utf-8")
    hashes = {replsim.run(given).provenance.hash for given in (replsim.loads(TEXT), file, str(file))}
    assert len(hashes) == 1


def test_the_seed_is_the_scenario_s_own_unless_given(result: replsim.Result) -> None:
    """A seed makes other luck, and the same seed the same."""
    scenario = replsim.loads(TEXT)
    assert result.seed == 3
    other = replsim.run(scenario, seed=4)
    assert other.seed == 4
    assert other.provenance.hash != result.provenance.hash
    assert replsim.run(scenario, seed=3).provenance.hash == result.provenance.hash


def test_a_result_offers_its_facts_and_its_numbers(result: replsim.Result) -> None:
    """Rows, positions, metrics and the verdict are all there, and agree with each other."""
    assert (result.scenario.name, result.engine, result.engine_reason) == (
        "front",
        "stages",
        "nothing in it waits for an answer",
    )
    assert len(result.commits) > 100
    assert len(result.reads) > 50
    assert "time" in result.events
    end = result.scenario.duration
    assert 0 < result.position("s2", "apply").at(end) <= result.position("p", "insert").at(end)
    (check,) = result.expectations
    assert (check.value, check.bound, check.held) == (result.metrics["commit_latency.p99"], 1.0, True)
    assert result.held
    assert repr(result) == f"<Result of 'front': {len(result.commits)} commits, seed 3, expectations held>"


def test_nothing_is_computed_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run costs its simulation only; metrics and reads come with the first look."""
    from replsim import analysis

    monkeypatch.setattr(analysis, "metrics", lambda _: pytest.fail("metrics were computed"))
    monkeypatch.setattr(analysis.reads, "reads", lambda _: pytest.fail("reads were computed"))
    assert len(replsim.run(replsim.loads(TEXT)).commits) > 100


def test_provenance_is_enough_to_run_again(result: replsim.Result) -> None:
    """The canonical scenario and the seed give the same hash; versions say what computed it."""
    known = result.provenance.to_dict()
    again = replsim.run(replsim.loads(known["scenario"]), seed=known["seed"])
    assert again.provenance.to_dict() == known
    assert set(known["versions"]) == {"python", "replsim", "numpy", "scipy", "numba"}


def test_json_is_the_dictionary(result: replsim.Result) -> None:
    """What ``to_json`` writes reads back as ``to_dict``, NaN being null, whichever metric is expected."""
    assert json.loads(result.to_json()) == result.to_dict()
    every = replsim.loads(TEXT, overrides={"expect": _of_each(result)})
    assert len(json.loads(replsim.run(every).to_json())["expectations"]) == len(result.metrics)


def _of_each(result: replsim.Result) -> str:
    """An expectation of each metric there is."""
    bounds = {"s": "1s", "B": "1 B", "1/s": "1/s", "1": "1", "count": "1"}
    return "[" + ", ".join(f"{name} > {bounds[unit_of(name)]}" for name in result.metrics) + "]"


def test_progress_goes_from_nothing_to_one() -> None:
    """The callable is told a fraction that only rises, and the end."""
    seen: list[float] = []
    replsim.run(replsim.loads(TEXT), progress=seen.append)
    assert len(seen) > 10
    assert seen == sorted(seen)
    assert (seen[0] >= 0, seen[-1]) == (True, 1.0)


def test_what_progress_raises_ends_the_run_and_comes_out() -> None:
    """A caller cancels with an exception of its own, early, and can run again at once."""
    seen: list[float] = []

    def cancel(fraction: float) -> None:
        seen.append(fraction)
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        replsim.run(replsim.loads(TEXT), progress=cancel)
    assert max(seen) < 0.5
    assert replsim.run(replsim.loads(TEXT)).held


@pytest.mark.parametrize("engine", ["", "event", "quantum"])
def test_an_unknown_engine_is_refused(engine: str) -> None:
    """The message names those that there are."""
    with pytest.raises(UnsupportedScenario, match="there are auto, events, stages"):
        replsim.run(replsim.loads(TEXT), engine=engine)


def test_an_engine_asked_for_by_name_says_so() -> None:
    """``engine_reason`` tells a choice from an order."""
    result = replsim.run(replsim.loads(TEXT), engine="events")
    assert (result.engine, result.engine_reason) == ("events", "asked for")


def test_both_simulators_give_one_result() -> None:
    """Whichever engine runs a scenario, its hash and its metrics are the same."""
    slow, fast = (replsim.run(replsim.loads(TEXT), engine=engine) for engine in ("events", "stages"))
    assert slow.provenance.hash == fast.provenance.hash
    assert repr(dict(slow.metrics)) == repr(dict(fast.metrics))


CLOSED = {"writers.app.rate": "null", "writers.app.clients": "3", "writers.app.think": "1ms"}


def test_what_feeds_back_is_left_to_events() -> None:
    """The reason names who waits for what; asked for by name, the stage engine refuses it with the same words."""
    scenario = replsim.loads(TEXT, overrides=CLOSED)
    result = replsim.run(scenario)
    assert (result.engine, result.engine_reason) == ("events", "clients of writer app wait for their own answers")
    with pytest.raises(UnsupportedScenario, match="clients of writer app wait"):
        replsim.run(scenario, engine="stages")


def test_a_pool_that_runs_dry_is_left_to_events() -> None:
    """Where connections run out, which shows only in a run, the event engine starts over, and the result says why."""
    result = replsim.run(replsim.loads(TEXT, overrides={"writers.app.connections": "1"}))
    assert result.engine == "events"
    assert result.engine_reason.startswith("writer app runs out of its 1 connections at ")


def test_without_numba_events_runs_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says what is missed where the compiler is not installed."""
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    result = replsim.run(replsim.loads(TEXT))
    assert result.engine == "events"
    assert result.engine_reason == "numba is not installed; with it, open-loop scenarios run a hundred times faster"


def test_what_cannot_be_judged_is_refused_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown metrics and quantities that do not fit, expected or measured, are all told at once."""
    from replsim.engines import events

    monkeypatch.setattr(events, "run", lambda *_: pytest.fail("the run started"))
    text = TEXT.replace("commit_latency.p99 < 1s", "commit_latency.p98 < 1s, throughput > 5ms")
    text += 'measured: {s1.lag.seconds.p50: 3ms, s7.lag.seconds.p50: 3ms, commit_latency.p50: 3/s, nonsense: "1"}\n'
    with pytest.raises(ScenarioError) as error:
        replsim.run(replsim.loads(text))
    assert [problem.path for problem in error.value.problems] == [
        ("expect", 0),
        ("expect", 1),
        ("measured", "s7.lag.seconds.p50"),
        ("measured", "commit_latency.p50"),
        ("measured", "nonsense"),
    ]


def test_measured_values_are_in_the_metric_s_unit() -> None:
    """A result holds what a real system showed as plain numbers in SI units."""
    text = TEXT + "measured: {commit_latency.p50: 7.5ms, throughput: 1k/s}\n"
    assert replsim.run(replsim.loads(text)).measured == {"commit_latency.p50": 0.0075, "throughput": 1000.0}


def test_every_mistake_of_a_user_is_a_replsim_error() -> None:
    """One ``except`` catches a missing file, a wrong unit, an unknown metric and an unknown engine."""
    scenario = replsim.loads(TEXT)
    mistakes = {
        ScenarioError: lambda: replsim.load("nowhere.yaml"),
        UnknownMetric: lambda: replsim.run(scenario).metrics["nonsense"],
        UnsupportedScenario: lambda: replsim.run(scenario, engine="quantum"),
        UnitError: lambda: replsim.result.measurement("commit_latency.p50", "5 kg"),
    }
    for kind, mistake in mistakes.items():
        with pytest.raises(kind) as error:
            mistake()
        assert isinstance(error.value, ReplsimError)


def test_overrides_change_a_scenario_while_it_is_read(tmp_path: Path) -> None:
    """``overrides`` does what ``--set`` does, for files and for text."""
    file = tmp_path / "front.yaml"
    file.write_text(TEXT, encoding="utf-8")
    change = {"writers.app.rate": "7/s"}
    assert replsim.load(file, overrides=change).writers["app"].rate == 7
    assert replsim.loads(TEXT, overrides=change).writers["app"].rate == 7


def test_the_shipped_scenarios_are_found_in_an_installation_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the package in a checkout, inside it in a wheel."""
    checkout = Path(replsim.__file__).parents[1] / "scenarios"
    assert replsim.scenarios_folder() == checkout
    package = tmp_path / "site-packages" / "replsim"
    (package / "_scenarios" / "deep").mkdir(parents=True)
    (package / "_scenarios" / "deep" / "one.yaml").write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(front, "__file__", str(package / "front.py"))
    assert list(front.shipped()) == ["deep/one"]
    assert replsim.load("one").name == "front"


def test_a_name_that_two_scenarios_share_needs_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of two is meant cannot be guessed; the message offers a full name."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.yaml").write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(front, "scenarios_folder", lambda: tmp_path)
    assert front.find("a/same") == tmp_path / "a" / "same.yaml"
    with pytest.raises(ScenarioError, match="did you mean"):
        front.find("same")
