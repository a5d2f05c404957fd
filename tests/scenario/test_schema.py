"""What is generated from the models: the schema that editors use, and the reference page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import replsim
from replsim import front
from replsim.randomness import DurationDistribution
from replsim.scenario import reference, schema
from replsim.scenario.described import descriptions
from replsim.scenario.dialect import read
from replsim.scenario.kinds import fields
from replsim.scenario.starter import starter

ROOT = Path(__file__).parents[2]
INVALID = ROOT / "tests/scenario/invalid"
SCHEMA = Path(replsim.__file__).parent / "scenario/scenario.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(schema.schema())

SMALL: dict[str, Any] = {"name": "demo", "duration": "10s"}


def current(path: Path, text: str) -> None:
    """Compare with the file, or write it where that is asked for (UPDATE_GOLDENS=1)."""
    if os.environ.get("UPDATE_GOLDENS"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_the_schema_in_the_package_is_current() -> None:
    """The schema file is what the models say."""
    current(SCHEMA, schema.text())


def test_the_reference_page_is_current() -> None:
    """The reference page is what the models say."""
    current(ROOT / "docs/reference/scenario.md", reference.markdown())


def test_the_schema_is_a_schema() -> None:
    """It is valid JSON Schema, and every reference in it leads somewhere."""
    jsonschema.Draft202012Validator.check_schema(schema.schema())
    known = set(schema.schema()["$defs"])
    text = schema.text()
    used = {part.split('"')[0] for part in text.split("#/$defs/")[1:]}
    assert used == known


FILES = [
    ROOT / "tests/scenario/rich.yaml",
    *front.shipped().values(),
    *sorted((ROOT / "tests/scenario/warned").glob("*.yaml")),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_scenario_validates(file: Path) -> None:
    """What the loader accepts, an editor does not underline."""
    VALIDATOR.validate(read(file.read_text(encoding="utf-8"), file.name).data)


def test_the_starter_validates() -> None:
    """Nor does it underline what `replsim new` writes."""
    VALIDATOR.validate(read(starter(), "starter").data)


@pytest.mark.parametrize("file", sorted(INVALID.glob("shape-*.yaml")), ids=lambda file: file.stem)
def test_wrong_shapes_are_underlined(file: Path) -> None:
    """What the loader refuses for its shape, an editor underlines."""
    assert not VALIDATOR.is_valid(read(file.read_text(encoding="utf-8"), file.name).data)


@pytest.mark.parametrize(
    "writer",
    [
        {"rate": "1k/s", "record": "600 B"},
        {"rate": "800 / s".replace(" ", ""), "execution": {"exponential": {"mean": "5ms"}}},
        {"rate": "1/s", "arrivals": "poisson"},
        {"rate": "1/s", "arrivals": {"bursts": {"on": "1s", "off": "2s"}}},
        {"clients": 5, "think": "µs".join(["5", ""])},
    ],
)
def test_shorthands_validate(writer: dict[str, Any]) -> None:
    """Bare quantities, words for arrivals, and whole mappings are all allowed."""
    VALIDATOR.validate(SMALL | {"writers": {"app": writer}})


@pytest.mark.parametrize(
    "route", ["primary", "s1", {"weighted": {"s1": 1}}, {"policy": "random", "among": ["s1"]}, {"quorum": 2}]
)
def test_routes_validate(route: object) -> None:
    """A route is a word, a node's name, or a mapping."""
    VALIDATOR.validate(SMALL | {"readers": {"web": {"rate": "1/s", "route": route}}})


@pytest.mark.parametrize(
    "value", [5, "5", "5 lightyears", {"lognormal": {"median": "1ms"}}, {"constant": "1ms", "gamma": {}}, {}]
)
def test_a_wrong_distribution_is_underlined(value: object) -> None:
    """A number without a unit, an unknown unit, a family without its keys, two families, or none."""
    assert not VALIDATOR.is_valid(SMALL | {"writers": {"app": {"rate": "1/s", "execution": value}}})


@pytest.mark.parametrize("family", reference.EXAMPLES)
def test_every_example_of_a_distribution_is_one(family: str) -> None:
    """The examples on the reference page can be copied as they are."""
    value = read(f"x: {reference.EXAMPLES[family]}", "example").data["x"]
    assert getattr(DurationDistribution.model_validate(value), family) is not None
    assert set(reference.EXAMPLES) == set(DurationDistribution.model_fields)


def test_every_field_says_what_it_is() -> None:
    """Each key of a scenario has a description in the schema, the parts of a route aside, which its own text tells."""
    silent = [
        f"{name}.{key}"
        for name, model in schema.models().items()
        for key in fields(model)
        if key not in descriptions(model) and name not in ("Route", "Expectation")
    ]
    assert silent == []
