"""Studies in files: read as strictly as scenarios, and those that are shipped find what they say."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from replsim.errors import ScenarioError
from replsim.study import files
from replsim.study.compare import Comparison
from replsim.study.replicate import Replication
from replsim.study.search import Search
from replsim.study.sensitivity import Sensitivity
from replsim.study.sweep import Sweep
from tests.study.conftest import TINY

HEAD = "name: x\nscenario: tiny.yaml\nset: {duration: 300ms}\nstudy:\n"


@cache
def found(name: str) -> files.Found:
    """A shipped study at a small size: two runs of each setting, of six seconds."""
    study, folder = files.load(name)
    return study.run(folder=folder, seeds=2, overrides={"duration": "6s"})


@pytest.mark.parametrize("name", files.shipped())
def test_a_shipped_study_asks_finds_and_runs(name: str) -> None:
    """Each has its question and finding in its header and its keys, and none of its runs fails."""
    text = files.shipped()[name].read_text()
    study, _ = files.load(name)
    assert text.startswith("# Question:")
    assert "\n# Finding:" in text
    assert study.name == name
    assert study.question
    assert study.finding
    assert not any("failed" in warning for warning in _warnings(found(name)))


def _warnings(result: files.Found) -> list[str]:
    return result.sweep.warnings if isinstance(result, Sensitivity) else result.warnings


def test_distance_costs_the_round_trip_until_another_is_nearer() -> None:
    """Under `local` latency is the same at every distance; under `on` it grows to 7 ms and then no more."""
    result = found("distance")
    assert isinstance(result, Sweep)
    p50 = {tuple(sample.setting.changes.values())[1:]: sample["commit_latency.p50"].value for sample in result}
    assert len({p50[place, "local"] for place in ("1ms", "7ms", "13ms", "19ms", "25ms")}) == 1
    assert p50["1ms", "on"] < p50["7ms", "on"] / 3
    assert p50["13ms", "on"] == pytest.approx(p50["25ms", "on"], rel=0.01)


def test_levels_save_what_they_leave_out_and_risk_it() -> None:
    """Off < local < remote_write < on < remote_apply in latency; only the first two lose when the primary dies."""
    result = found("levels")
    assert isinstance(result, Comparison)
    levels = [label.rpartition("=")[2] for label in result.labels[1:]]
    saved = {level: result.difference("commit_latency.p50", place).relative for place, level in enumerate(levels, 1)}
    assert -1 < saved["off"] < saved["local"] < saved["remote_write"] < 0 < saved["remote_apply"]
    assert saved["local"] == pytest.approx(-0.68, abs=0.05)
    assert saved["remote_write"] == pytest.approx(-0.29, abs=0.05)
    lost = {
        label: sample["loss_if_primary_dies.probability"].value
        for label, sample in zip(levels, result[1:], strict=True)
    }
    assert [level for level, chance in lost.items() if chance > 0] == ["off", "local"]


def test_the_cheapest_rule_is_remote_write_with_any_1() -> None:
    """The front is ANY 1 with the three levels that reach a standby, the quickest first."""
    result = found("cheapest-rule")
    assert isinstance(result, Search)
    front = [(*one.sample.setting.changes.values(),)[1:] for one in result.best]
    assert front[0] == ("remote_write", "ANY 1 (s1, s2)")
    assert {rule for _, rule in front} == {"ANY 1 (s1, s2)"}
    assert {level for level, _ in front} <= {"remote_write", "on", "remote_apply"}


def test_what_matters_is_the_link_that_is_waited_for() -> None:
    """The near link drives latency and does nothing to the far lag; replay the other way round."""
    result = found("what-matters")
    assert isinstance(result, Sensitivity)
    latency, lag = result.indices["commit_latency.p99"], result.indices["s2.lag.seconds.p99"]
    assert latency[0].knob == "links.p -> s1.latency"
    assert latency[0].total > 2 * latency[1].total
    assert latency[-1].knob == "standbys.s2.replay.per_record"
    assert latency[-1].total == 0
    assert (lag[0].knob, lag[-1].knob) == ("links.p -> s2.latency", "links.p -> s1.latency")


def test_how_sure_adds_runs_until_it_is() -> None:
    """At its full size the interval is as narrow as was asked for, with fewer runs than the cap."""
    result = found("how-sure")
    assert isinstance(result, Replication)
    assert len(result.seeds) > 5


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (HEAD + "  sweep: {duration: [1s]}\n  serch: {}\n", 6, "did you mean 'search'"),
        (HEAD + "  seeds: 3\n", 4, "give exactly one of replicate, compare, sweep, search, sensitivity"),
        (HEAD + "  sweep: {duration: [1s, 2s]}\n  trials: 5\n", 4, "'trials' does not belong to sweep"),
        (HEAD + "  sweep: {duration: [1s, 2s]}\n  design: star\n", 6, "expected one of grid, latin, sobol, got 'star'"),
        (HEAD + "  sensitivity: {duration: 1s..2s}\n", 4, "what do the knobs matter to?"),
        ("name: x\nstudy: {replicate: true}\n", 1, "scenario: missing"),
    ],
)
def test_mistakes_are_told_with_their_line(text: str, line: int, message: str, tmp_path: Path) -> None:
    """As in scenarios: file, line and what to write instead."""
    file = tmp_path / "study.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        files.load(file)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{file}:{line}:")


def test_a_scenario_is_not_taken_for_a_study(tiny_file: Path) -> None:
    """Each command knows the other's files; and a name that is nothing gets the list of what there is."""
    with pytest.raises(ScenarioError, match="is a scenario, not a study: `replsim run"):
        files.load(tiny_file)
    with pytest.raises(ScenarioError, match="shipped are cheapest-rule, distance"):
        files.load("nothing")


def test_a_study_s_scenario_lies_beside_it_and_values_are_read_as_yaml(tmp_path: Path) -> None:
    """`on` is a word, not a truth; several scenarios can be compared; `set` holds everywhere."""
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "other.yaml").write_text(TINY.replace("name: tiny", "name: other"))
    sweep = tmp_path / "sweep.yaml"
    sweep.write_text(HEAD + "  sweep: {primary.synchronous_commit: [off, on], links.p -> s1.latency: 1ms..2ms:2}\n")
    study, folder = files.load(sweep)
    result = study.run(folder=folder, seeds=1)
    assert isinstance(result, Sweep)
    assert [*result.design[0].values()] == ["off", "1ms"]
    assert result[0].setting.scenario.duration == 300_000_000
    compare = tmp_path / "compare.yaml"
    compare.write_text(HEAD + "  compare: [other.yaml]\n  metrics: throughput\n")
    study, folder = files.load(compare)
    result = study.run(folder=folder, seeds=2)
    assert isinstance(result, Comparison)
    assert result.labels == ("tiny", "other")
