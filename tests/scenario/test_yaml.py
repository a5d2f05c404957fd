"""Scenarios read and written: the dialect, the bounds, and the round trip."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim import front
from replsim.errors import ScenarioError
from replsim.scenario import Scenario
from replsim.scenario.dialect import LARGEST_BYTES, read, scalar
from replsim.scenario.starter import starter
from replsim.scenario.yaml import dumps, load, loads

SMALL = "name: demo\nduration: 10s\nwriters: {app: {rate: 100/s}}\n"

SHIPPED = list(front.shipped().values())


@pytest.mark.parametrize(
    "text", ["on", "off", "yes", "no", "y", "n", "On", "OFF", "Yes", "NO", "12:30:45", "2026-11-24", "1_000", "0b1"]
)
def test_what_yaml_1_1_reads_as_something_else_stays_text(text: str) -> None:
    """Words, times, dates and odd numbers of YAML 1.1 are plain text."""
    assert read(f"key: {text}\n", "text").data == {"key": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("010", 10),
        ("-7", -7),
        ("0x1F", 31),
        ("0o17", 15),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-.inf", float("-inf")),
    ],
)
def test_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    """Truth values, null and numbers are those of YAML 1.2, each of its own type."""
    found = read(f"key: {text}\n", "text").data["key"]
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_a_number() -> None:
    """``.nan`` is the float that is not equal to itself."""
    found = scalar(".nan")
    assert found != found


@pytest.mark.parametrize("text", ["'true'", '"1"', "'~'", "''"])
def test_what_stands_in_quotes_is_text(text: str) -> None:
    """Quotes keep a word from being read as anything else."""
    assert read(f"key: {text}\n", "text").data["key"] == text[1:-1]


def test_the_databases_own_words_need_no_quotes() -> None:
    """``synchronous_commit: on`` and ``off`` mean what they mean in postgresql.conf."""
    scenario = loads(SMALL + "primary: {synchronous_commit: off}\n")
    assert scenario.primary.synchronous_commit == "off"
    assert loads(SMALL + "primary: {synchronous_commit: on}\n").primary.synchronous_commit == "on"


def test_every_problem_is_told_at_once_and_in_order() -> None:
    """Problems of spelling and of shape come together, in the file's order."""
    with pytest.raises(ScenarioError) as caught:
        loads("seed: -1\nname: 5\nduration: 1s\nduration: 2s\nwriters: {app: {rate: 5}}\n")
    assert [problem.line for problem in caught.value.problems] == [1, 2, 4, 5]


def test_an_alias_is_a_copy() -> None:
    """An alias stands for the whole value, and changing one place leaves the others alone."""
    text = (
        SMALL
        + "standbys: {s1: &s {replay: {per_record: 1ms}}, s2: *s}\nlinks: {p -> s1: &l {latency: 1ms}, p -> s2: *l}\n"
    )
    assert loads(text).standbys["s2"] == loads(text).standbys["s1"]
    changed = loads(text, overrides={"standbys.s2.replay.per_record": "9ms"})
    assert changed.standbys["s1"] == loads(text).standbys["s1"]
    assert changed.standbys["s2"].replay.per_record.mean == 9e6


def test_a_mistake_in_an_aliased_value_is_placed_where_it_is_written() -> None:
    """The line is that of the anchor's text, which is what has to be mended."""
    with pytest.raises(ScenarioError) as caught:
        loads("name: demo\nduration: 10s\nwriters:\n  a: &w {rate: 5}\n  b: *w\n")
    assert {problem.line for problem in caught.value.problems} == {4}


def test_text_from_elsewhere_reads_no_file() -> None:
    """Without a folder, as for an upload, sample files are refused."""
    text = SMALL + "primary: {wal_device: {flush: {empirical: {file: flush.csv, unit: us}}}}\n"
    with pytest.raises(ScenarioError, match="cannot read files: write the samples in line"):
        loads(text)


def test_samples_are_looked_for_beside_the_scenario(tmp_path: Path) -> None:
    """A sample file is found from the scenario's own folder, wherever the program runs."""
    (tmp_path / "flush.csv").write_text("1.5\n2.5\n")
    file = tmp_path / "demo.yaml"
    file.write_text(SMALL + "primary: {wal_device: {flush: {empirical: {file: flush.csv, unit: ms}}}}\n")
    assert load(file).primary.wal_device.flush.mean == 2e6


@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_file_beyond_the_size_is_refused(letter: str) -> None:
    """The bound counts bytes, and holds before anything is parsed."""
    with pytest.raises(ScenarioError, match="larger than 1024 KiB"):
        loads(SMALL + "# " + letter * LARGEST_BYTES)


def test_a_large_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    """`load` refuses a file that is too large with the same words."""
    file = tmp_path / "large.yaml"
    file.write_text(SMALL + "# " + "x" * LARGEST_BYTES)
    with pytest.raises(ScenarioError, match="larger than 1024 KiB"):
        load(file)


def test_text_that_no_file_could_hold_is_refused() -> None:
    """A lone surrogate, which is not Unicode text, is a mistake of the user's and no crash."""
    with pytest.raises(ScenarioError, match="not UTF-8 text"):
        loads("name: \ud800\n")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is named."""
    with pytest.raises(ScenarioError, match=r"none\.yaml: cannot be read: No such file"):
        load(tmp_path / "none.yaml")


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    """What editors on other systems write is read alike."""
    file = tmp_path / "demo.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert load(file) == loads(SMALL)


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 50_000, "a:\n" * 1000, "? " * 10_000])
def test_deep_and_endless_nesting_is_refused_and_quickly(text: str) -> None:
    """No depth of nesting exhausts the stack."""
    with pytest.raises(ScenarioError):
        loads(text)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_scenario_or_a_user_error(text: str) -> None:
    """Whatever is in a file, it loads or is refused; it never crashes."""
    with pytest.raises(ScenarioError):
        loads(text)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["question", "finding"]), st.text(max_size=30)))
def test_any_text_comes_back_from_the_file(fields: dict[str, str]) -> None:
    """Text that looks like a number, a truth value or YAML itself is written so that it is read as it was."""
    scenario = Scenario.model_validate({"name": "demo", "duration": "10s", "writers": {"a": {"rate": "1/s"}}} | fields)
    assert loads(dumps(scenario)) == scenario


@pytest.mark.parametrize(
    "text", ["on", "no", "1e3", "010", "~", "null", "true", "", "- a", "a: b", "#", "1:30", ".5", "0x1F"]
)
def test_text_that_could_be_read_otherwise_comes_back(text: str) -> None:
    """The writer quotes by the reader's own rules, and leaves ``on`` and ``no`` without quotes."""
    scenario = loads(SMALL).changed(question=text)
    assert loads(dumps(scenario)) == scenario
    assert ("question: on" in dumps(scenario)) == (text == "on")


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_every_shipped_scenario_comes_back_from_its_canonical_text(file: Path, tmp_path: Path) -> None:
    """Writing a scenario and reading it again gives the same scenario, and the same text."""
    scenario = load(file)
    text = dumps(scenario)
    again = loads(text, folder=file.parent)
    assert again == scenario
    assert dumps(again) == text


def test_the_starter_loads_and_comes_back() -> None:
    """What `replsim new` writes is a sound scenario."""
    scenario = loads(starter())
    assert loads(dumps(scenario)) == scenario


def test_defaults_are_left_out() -> None:
    """The canonical text says what differs from the defaults, and nothing else."""
    assert dumps(loads(SMALL + "seed: 1\nprimary: {name: p}\nwarmup: 0s\n")) == (
        "name: demo\nduration: 10s\nwriters:\n  app: {rate: 100/s}\n"
    )


def test_a_scenario_with_everything_comes_back() -> None:
    """Every kind of field, shorthand and distribution survives the round trip."""
    scenario = load(Path(__file__).with_name("rich.yaml"))
    assert loads(dumps(scenario)) == scenario
    assert dumps(loads(dumps(scenario))) == dumps(scenario)
