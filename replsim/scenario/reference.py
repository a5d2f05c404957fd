"""The reference page of the scenario file, written from the models, so that it cannot say what they do not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, WithJsonSchema
from pydantic.fields import FieldInfo

from replsim.randomness import Distribution, SizeDistribution
from replsim.randomness.distributions import DurationDistribution
from replsim.rules.routing import POLICIES
from replsim.scenario.described import descriptions
from replsim.scenario.dialect import DEEPEST, LARGEST_BYTES, MOST_VALUES
from replsim.scenario.kinds import choices, default, fields, plain
from replsim.scenario.network import PRESETS
from replsim.scenario.schema import models
from replsim.units import UNITS

__all__ = ["EXAMPLES", "markdown"]

EXAMPLES: Final = {
    "constant": "5ms",
    "uniform": "{uniform: {low: 1ms, high: 3ms}}",
    "exponential": "{exponential: {mean: 2s}}",
    "normal": "{normal: {mean: 10ms, sd: 2ms}}",
    "lognormal": "{lognormal: {median: 0.6ms, p99: 3ms}}",
    "gamma": "{gamma: {mean: 4ms, shape: 2}}",
    "weibull": "{weibull: {scale: 1ms, shape: 0.7}}",
    "pareto": "{pareto: {minimum: 1ms, shape: 2.5}}",
    "empirical": "{empirical: {samples: [0.5ms, 0.6ms, 4ms], order: sequence}}",
    "scipy": "{scipy: {name: invgauss, args: {mu: 0.5}, unit: ms}}",
    "mixture": "{mixture: [{weight: 99, of: 0.5ms}, {weight: 1, of: {exponential: {mean: 20ms}}}]}",
}
"""One distribution of each family, as a file may hold it; the constant one is a bare quantity."""

_WORDS: Final = {
    "Route": f"{', '.join(f'`{policy}`' for policy in POLICIES)}, a node's name, or [keys](#route)",
    "Arrivals": "`poisson`, `deterministic`, or [keys](#arrivals)",
    "Expectation": "comparison",
}
"""What is also written as one word."""

_HEAD: Final = f"""\
# The scenario file

<!-- Written by replsim/scenario/reference.py from the models: change those, not this page. -->

A scenario is one YAML document. Words are YAML 1.2's: `on`, `off`, `yes` and `no` are text, only `true` and `false`
are truth values, `1e3` is a number and `010` is ten. Keys stand once; tags, merge keys (`<<`) and empty values are
refused, and so are files over {LARGEST_BYTES // 1024} KiB, more than {MOST_VALUES:,} values (each use of an alias
counted) and more than {DEEPEST} levels of nesting. Every mistake is reported at once, with its line and what to write.

`replsim new` writes a commented scenario to start from, `replsim schema` the JSON Schema with which editors complete
and check one. Any value can be replaced for a run: `--set links."p -> s1".latency=5ms`; `--set PATH=null` takes a key
away.
"""


def markdown() -> str:
    """The whole page."""
    parts = [_HEAD, *_units(), *_distributions()]
    for name, model in models().items():
        generic = model.__pydantic_generic_metadata__["origin"] is not None
        if not generic and name not in ("Expectation", "Scipy"):
            parts += _section(name, model)
    return "\n".join(parts)


def _units() -> Iterator[str]:
    yield "## Units\n"
    yield "A quantity is text with its unit; a bare number is refused, because `5` could be anything.\n"
    yield "| quantity | units | examples |\n|---|---|---|"
    for noun, (units, examples) in UNITS.items():
        yield f"| {noun} | {' '.join(f'`{unit}`' for unit in units)} | {', '.join(f'`{each}`' for each in examples)} |"
    yield "\n`kB` and `MB` are powers of ten, `KiB` and `MiB` powers of two. A fraction may be bare: `0.0001`.\n"


def _distributions() -> Iterator[str]:
    yield "## Distributions\n"
    yield (
        "A time or a size that varies is a distribution: a bare quantity (always the same), or one family. "
        "`exponential 2s` is short for the one of that mean.\n"
    )
    yield "| family | what it is | keys | example |\n|---|---|---|---|"
    families = _described(DurationDistribution)
    for name, field in DurationDistribution.model_fields.items():
        inner = plain(field.annotation)
        part = inner if isinstance(inner, type) else get_args(inner)[0] if get_origin(inner) is tuple else None
        keys = _described(part) if isinstance(part, type) and issubclass(part, BaseModel) else {}
        listed = "; ".join(f"`{key}`: {text.rstrip('.')}" for key, text in keys.items())
        yield f"| `{name}` | {families[name]} | {listed} | `{EXAMPLES[name]}` |"
    yield ""


def _described(model: type[BaseModel]) -> dict[str, str]:
    """What each key of a part is."""
    told = descriptions(model)
    return {key: _prose(told.get(key, "")) for key in fields(model)}


def _section(name: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"## {name}\n"
    yield _prose(model.__doc__ or "", lines=True) + "\n"
    if name == "Route":
        yield (
            "| key | what it says |\n|---|---|\n"
            "| `weighted` | Nodes with their weights: `{weighted: {s1: 3, s2: 1}}`. |\n"
            "| `policy`, `among` | A policy over some of the nodes only: `{policy: random, among: [s1, s2]}`. |\n"
        )
        return
    yield "| key | holds | default | what it says |\n|---|---|---|---|"
    told = _described(model)
    for key, field in fields(model).items():
        yield f"| `{key}` | {_holds(field)} | {_default(field)} | {told[key]} |"
    if name == "Zones":
        yield "\nThe presets, as published round trips (half of one is the latency one way):\n"
        for preset, table in PRESETS.items():
            pairs = ", ".join(f"{' – '.join(sorted(pair))} {time:g} ms" for pair, time in table.items())
            yield f"- `{preset}`: {pairs}."
    yield ""


def _holds(field: FieldInfo) -> str:
    return _kind(Annotated[field.annotation, field, *field.metadata])


def _kind(annotation: Any) -> str:
    """What may stand there, in the user's words."""
    if chosen := choices(annotation):
        return " or ".join(f"[{tag.strip('<>')}](#{model.__name__.lower()})" for tag, model in chosen.items())
    inner = plain(annotation)
    for mark in _marks(annotation):
        if isinstance(mark, WithJsonSchema) and mark.json_schema and "title" in mark.json_schema:
            return str(mark.json_schema["title"]).lower()
    if get_origin(inner) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(inner))
    if get_origin(inner) is tuple:
        return f"list of: {_kind(get_args(inner)[0])}"
    if get_origin(inner) is dict:
        return f"by name: {_kind(get_args(inner)[1])}"
    if isinstance(inner, type) and issubclass(inner, Distribution):
        noun = "size" if inner is SizeDistribution else "duration"
        return f"{noun}, or [distribution](#distributions)"
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        name = inner.__name__.split("[")[0].lstrip("_")
        if name == "Empirical":
            return "[empirical](#distributions)"
        return _WORDS.get(name, f"[keys](#{name.lower()})")
    return {bool: "`true`, `false`", int: "whole number", float: "number", str: "text"}[inner]


def _marks(annotation: Any) -> Iterator[Any]:
    """Every mark of an annotation, also inside ``| None``."""
    for arg in get_args(annotation):
        if get_origin(annotation) is Annotated and arg is not get_args(annotation)[0]:
            yield arg
        elif get_origin(annotation) not in (tuple, dict, Literal):
            yield from _marks(arg)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = default(field)
    if value in (None, {}, [], ""):
        return "its own defaults" if value == {} else "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{_flow(value)}`"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _prose(text: str, *, lines: bool = False) -> str:
    """A docstring as Markdown: one kind of backticks, and in a table no line breaks."""
    text = re.sub(r"``([^`]+)``", r"`\1`", text.strip())
    text = "\n".join(line.strip() for line in text.splitlines()) if lines else " ".join(text.split())
    return re.sub(r"(?<=[.!?])  +", " ", text)
