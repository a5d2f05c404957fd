"""Sweeps: the settings that knobs make, their order, and a table from which every number can be had again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import replsim
from replsim.errors import ScenarioError, StudyError
from replsim.scenario import Scenario
from replsim.study.design import grid, spread
from replsim.study.knobs import read

TWO = {"links.p -> s1.latency": "1ms,8ms", "primary.synchronous_commit": ["local", "on"]}


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ("off,local , on", ("off", "local", "on")),
        ('ANY 1 (s1, s2),FIRST 1 (s1),"s1, s2"', ("ANY 1 (s1, s2)", "FIRST 1 (s1)", '"s1, s2"')),
        ("1ms..50ms:6", ("1ms", "10.8ms", "20.6ms", "30.4ms", "40.2ms", "50ms")),
        ("0.5ms .. 8ms:5:log", ("500us", "1ms", "2ms", "4ms", "8ms")),
        ("100/s..1k/s:4", ("100/s", "400/s", "700/s", "1000/s")),
        ("1..64:7:log", ("1", "2", "4", "8", "16", "32", "64")),
        ("1..4:10", ("1", "2", "3", "4")),
        ("0%..1%:3", ("0%", "0.5%", "1%")),
        ("10 MB/s..1 GB/s:3:log", ("10 MB/s", "100 MB/s", "1 GB/s")),
        ([True, 5, "off", {"lognormal": {"median": "1ms"}}], ("true", "5", "off", "{lognormal: {median: 1ms}}")),
    ],
)
def test_values_are_read_as_people_write_them(given: object, values: tuple[str, ...]) -> None:
    """Lists split at the commas outside of brackets; ranges count in their unit, evenly or by a factor."""
    assert read("a.path", given).values == values  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "give a list of values"),
        ("a,,b", "give a list of values"),
        ("on,off,on", "'on' is given twice"),
        ("1ms..50MB:3", "from one duration to another"),
        ("50ms..1ms:3", "goes upwards"),
        ("0ms..1ms:3:log", "start above 0"),
        ("1ms..2ms:1", "at least its two ends"),
        ("1lightyear..2lightyear:3", "'lightyear' is not a unit"),
        ("near..far:3", "'near' is no quantity"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(given: str, message: str) -> None:
    """Each mistake names the path and the mend."""
    with pytest.raises(StudyError, match=message):
        read("a.path", given)


def test_a_grid_is_every_combination_the_last_knob_fastest() -> None:
    """As nested loops would go through it; made when asked for, so that a huge grid costs nothing."""
    assert [*map(dict, grid({"a": "1,2", "b": "x,y,z"}))] == [{"a": a, "b": b} for a in "12" for b in "xyz"]
    huge = grid({str(k): "0..999:1000" for k in range(4)})
    assert len(huge) == 10**12
    assert huge[10**12 - 1] == dict.fromkeys("0123", "999")


@pytest.mark.parametrize("kind", ["latin", "sobol"])
def test_a_spread_fills_each_range_evenly_and_is_the_same_again(kind: str) -> None:
    """Of 64 points each eighth of every range has eight, and each of four values 16; the seed decides which."""
    over = {"a": "0..1.0", "b": "1ms..100ms:log", "c": "w,x,y,z"}
    found = spread(over, kind, 64, 5)  # type: ignore[arg-type]
    assert found.shares is not None
    for column in found.shares.T:
        assert np.all(np.histogram(column, 8, (0, 1))[0] == 8)
    assert {value: sum(one["c"] == value for one in found) for value in "wxyz"} == dict.fromkeys("wxyz", 16)
    again = spread(over, kind, 64, 5)  # type: ignore[arg-type]
    assert [*again] == [*found]
    assert [*spread(over, kind, 64, 6)] != [*found]  # type: ignore[arg-type]


def test_designs_that_do_not_fit_are_refused() -> None:
    """A grid needs counts, a spread the number of its points, and Sobol a power of two."""
    for arguments, message in {
        (("a", "1..5"), "grid", None): "Append ':6'",
        (("a", "1,5"), "grid", 4): "leave the number of points out",
        (("a", "1..5"), "latin", None): "needs the number of its points",
        (("a", "1..5"), "sobol", 100): "take 64 or 128 points, not 100",
    }.items():
        (path, values), kind, points = arguments
        with pytest.raises(StudyError, match=message):
            spread({path: values}, kind, points, 1)  # type: ignore[arg-type]
    with pytest.raises(StudyError, match="nothing varies"):
        grid({})


def test_each_setting_has_the_numbers_of_its_own_runs(tiny: Scenario, tiny_file: Path) -> None:
    """A row a run, from which `replsim.run` gives the same number again; and from a file as from Python."""
    found = replsim.sweep(tiny_file, TWO, 2, metrics=["commit_latency.p99"])
    assert len(found.runs) == 8
    frame = found.runs.to_pandas()
    for _, row in frame.iterrows():
        changes = {knob: row[knob] for knob in TWO}
        again = replsim.run(replsim.load(tiny_file, overrides=changes), seed=row["seed"])
        assert again.metrics["commit_latency.p99"] == row["commit_latency.p99"]
    assert len(set(frame["commit_latency.p99"])) == 6, "under `local` the distance does not matter"
    made = replsim.sweep(tiny, TWO, 2, metrics=["commit_latency.p99"])
    assert made.findings.values.tobytes() == found.findings.values.tobytes()
    assert made[3].setting.label == "links.p -> s1.latency=8ms, primary.synchronous_commit=on"


def test_the_command_of_a_setting_runs_it(tiny_file: Path) -> None:
    """Each setting prints the command that reproduces it."""
    import shlex

    found = replsim.sweep(tiny_file, TWO, 1, metrics=["throughput"], overrides={"duration": "300ms"})
    words = shlex.split(found[1].setting.command("--seed", "3"))
    assert words[:3] == ["replsim", "run", str(tiny_file)]
    assert words[3:5] == ["--set", "duration=300ms"]
    assert words[5:7] == ["--set", "links.p -> s1.latency=1ms"]
    assert words[-2:] == ["--seed", "3"]


def test_a_matrix_is_a_measure_over_two_knobs(tiny: Scenario) -> None:
    """A row for each value of one knob, a column for each of the other; a third stands where it is told to."""
    over = {**TWO, "writers.app.rate": "200/s,400/s"}
    found = replsim.sweep(tiny, over, 2, metrics=["throughput", "commit_latency.p50"])
    matrix = found.matrix(
        "throughput", "links.p -> s1.latency", "primary.synchronous_commit", {"writers.app.rate": "400/s"}
    )
    assert (matrix.columns, matrix.rows) == (("1ms", "8ms"), ("local", "on"))
    assert np.all(matrix.value > 300)
    assert np.all((matrix.low <= matrix.value) & (matrix.value <= matrix.high))
    assert np.all(found.matrix("throughput", "links.p -> s1.latency", "primary.synchronous_commit").value < 300)
    with pytest.raises(StudyError, match="did not measure 'nothing'"):
        found.matrix("nothing", "a", "b")
    with pytest.raises(StudyError, match="two knobs of a grid"):
        found.matrix("throughput", "a", "b")


def test_every_setting_that_cannot_run_is_told_before_the_first_one_does(
    tiny_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bad value among many is found before time zero, and each problem is told once."""
    monkeypatch.setattr("replsim.front.run", lambda *_, **__: pytest.fail("it ran"))
    with pytest.raises(ScenarioError) as caught:
        replsim.sweep(tiny_file, {"primary.synchronous_commit": "on,offf", "writers.app.rate": "1/s,2/s,oops"})
    assert {problem.path for problem in caught.value.problems} == {
        ("primary", "synchronous_commit"),
        ("writers", "app", "rate"),
    }
    assert len(caught.value.problems) == 2


def test_a_sweep_that_is_not_done_is_told(tiny: Scenario, tmp_path: Path) -> None:
    """Looking at what there is computes nothing, and says how much is missing."""
    store = tmp_path / "runs.sqlite"
    replsim.sweep(tiny, {"primary.synchronous_commit": "local,on"}, 2, metrics=["throughput"], store=store)
    found = replsim.sweep(tiny, TWO, 2, metrics=["throughput"], store=store, compute=False)
    assert len(found.runs) == 4, "the setting as it stands, at 1 ms, is in both"
    assert found.warnings == ["4 of 8 runs have not been done"]
