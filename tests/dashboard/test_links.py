"""A page's state and its URL, and the scenario that it stands for."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

import replsim
from dashboard.links import LONGEST_URL, UPLOAD, Setup
from dashboard.sources import gallery, scenario_of
from replsim.cli.loading import overrides
from replsim.errors import ScenarioError

THREE = Setup("quickstart/three-nodes")


def test_a_setup_comes_back_from_its_url() -> None:
    """What a URL says of a scenario, its changes and its seeds is what it was made of."""
    setup = Setup("quickstart/three-nodes", (("links.p -> s1.latency", "5ms"), ("seed", "9")), seeds=5)
    assert setup.query["set"] == ["links.p -> s1.latency=5ms", "seed=9"]
    assert Setup.from_query(setup.query) == setup
    assert Setup.from_query({}) == Setup()


def test_what_belongs_to_a_page_is_no_change_of_the_scenario() -> None:
    """A commit that is looked at, or a step of the tour, leaves the setup as it is."""
    assert Setup.from_query(THREE.query | {"commit": ["7"], "film": ["whole"], "step": ["2"]}) == THREE


@pytest.mark.parametrize(("text", "seeds"), [("5", 5), ("0", 1), ("many", 1), ("-3", 1), ("100000", 30)])
def test_a_url_cannot_ask_for_any_number_of_seeds(text: str, seeds: int) -> None:
    """The number of seeds is bounded, and nonsense is one."""
    assert Setup.from_query({"seeds": [text]}).seeds == seeds


def test_the_command_line_runs_the_same_scenario() -> None:
    """The command that a page shows makes, through the command line's own reading, the page's scenario."""
    setup = THREE.changed({"primary.synchronous_standby_names": "FIRST 1 (s2)", "links.p -> s1.latency": "5ms"})
    words = shlex.split(setup.command)
    assert words[:3] == ["replsim", "run", "quickstart/three-nodes"]
    sets = [word for word in words[3:] if word != "--set"]
    assert replsim.load(words[2], overrides=overrides(sets)) == scenario_of(setup)


def test_what_is_too_long_for_a_url_does_not_go_into_one() -> None:
    """A URL that a proxy would cut is not offered, and neither is that of an upload, whose text nobody else has."""
    assert THREE.fits
    assert not THREE.changed({"question": "x" * LONGEST_URL}).fits
    assert not Setup(UPLOAD, text="name: x").fits


def test_the_gallery_asks_a_question_for_each_scenario() -> None:
    """Every shipped scenario is on the shelf, the quickstart first, each with its question."""
    shelf = gallery()
    assert set(replsim.front.shipped()) < set(shelf)
    assert next(iter(shelf)).startswith("quickstart/")
    assert all(question for question in shelf.values())


def test_neither_upload_nor_url_reads_a_file(tmp_path: Path) -> None:
    """A sample file named in an upload, or slipped into a shipped scenario by a URL, is refused and not opened."""
    secret = tmp_path / "secret.csv"
    secret.write_text("hidden\n", encoding="utf-8")
    sample = f"{{empirical: {{file: {secret}, unit: ms}}}}"
    text = f"name: x\nduration: 1s\nprimary:\n  wal_device:\n    flush: {sample}\n"
    with pytest.raises(ScenarioError, match="cannot read files") as refused:
        scenario_of(Setup(UPLOAD, text=text))
    assert refused.value.problems[0].line == 5
    for changes in (
        {"primary.wal_device.flush": sample},
        {"primary.wal_device.flush.empirical.file": str(secret)},
        {"primary": f"{{wal_device: {{flush: {sample}}}}}"},
    ):
        with pytest.raises(ScenarioError, match="another file") as refused:
            scenario_of(THREE.changed(changes))
        assert "hidden" not in str(refused.value)


def test_a_shipped_scenario_may_read_its_own_samples() -> None:
    """What a shipped scenario reads anyway it may still read when something else is changed."""
    measured = Setup("validation/q_c8_d2-10_any1_on").changed({"primary.synchronous_commit": "local"})
    assert scenario_of(measured).primary.wal_device.flush.empirical is not None


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "nowhere"])
def test_only_what_is_on_the_shelf_is_opened_by_name(name: str) -> None:
    """A URL's scenario is a name from the gallery, never a path."""
    with pytest.raises(ScenarioError, match="no shipped scenario"):
        scenario_of(Setup(name))


def test_an_upload_that_is_too_large_is_refused() -> None:
    """The size of an upload is bounded."""
    with pytest.raises(ScenarioError, match="large"):
        scenario_of(Setup(UPLOAD, text="name: x\n" + "# filler\n" * 150_000))
