"""Pydantic's errors in the user's words: one plain sentence each, with the mend in it, at its place in the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from replsim.errors import Problem, ScenarioError
from replsim.scenario.dialect import Document
from replsim.scenario.kinds import annotation_at, example, fields, plain, written
from replsim.scenario.spelling import closest, did_you_mean

__all__ = ["KINDS", "explain", "shown"]

Loc = tuple[str | int, ...]

_EXPECTED: Final = {
    "Route": "expected a routing word, a node's name or {weighted: {s1: 3, s2: 1}} or {quorum: 2}",
    "Arrivals": "expected poisson, deterministic, {bursts: …} or {replayed: …}",
    "_Expectation": "expected a comparison such as 'commit_latency.p99 < 20ms'",
}
"""What stands in for a mapping, by the model's name: parts that are also written as one word."""

_BOUNDS: Final = {
    "greater_than": ("gt", "must be above"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be below"),
    "less_than_equal": ("le", "must be at most"),
}


def explain(error: ValidationError, model: type[BaseModel], document: Document | None = None) -> list[Problem]:
    """Every problem in ``error``, each at its place in ``document`` where the values came from one."""
    errors = [(tuple(e["loc"]), e["type"], e) for e in error.errors()]
    deeper = {loc[:k] for loc, _, _ in errors for k in range(len(loc))}
    meant = {
        (*loc[:-1], closest(str(loc[-1]), _keys(model, loc[:-1])))
        for loc, kind, _ in errors
        if kind == "extra_forbidden"
    }
    found: dict[Loc, list[tuple[str, Problem]]] = {}
    for loc, kind, detail in errors:
        if isinstance(cause := detail.get("ctx", {}).get("error"), ScenarioError):
            for problem in cause.problems:
                found.setdefault(problem.path, []).append(("", problem))
            continue
        # One mistake, one message: a misspelt key is not also missing, a list of bad items is not also short.
        if (kind == "missing" and loc in meant) or (kind == "too_short" and loc in deeper):
            continue
        path = _path(loc, kind, document)
        message = _message(model, loc, kind, detail)
        key = kind == "extra_forbidden" or loc[-1:] == ("[key]",)
        found.setdefault(path, []).append((message, _placed(document, path, message, key=key)))
    return [problem for at in found.values() for problem in _merged(at, document)]


def _merged(at: Sequence[tuple[str, Problem]], document: Document | None) -> list[Problem]:
    """Several refusals of one value, as by a union of types, are one problem."""
    expected = [message for message, _ in at if message.startswith("expected ")]
    if len(at) == 1 or len(expected) != len(at):
        return [problem for _, problem in at]
    wanted = [re.sub(r"^expected (.*?), got .*", r"\1", message) for message in expected]
    message = f"expected {' or '.join(dict.fromkeys(wanted))}, got {expected[0].split(', got ')[-1]}"
    return [_placed(document, at[0][1].path, message, key=False)]


def _placed(document: Document | None, path: Loc, message: str, *, key: bool) -> Problem:
    return Problem(path, message) if document is None else document.at(path, message, key=key)


def _path(loc: Loc, kind: str, document: Document | None) -> Loc:
    """``loc`` without what no file says: markers, and the field that a shorthand stands for."""
    if document is None:
        return tuple(part for part in loc if part != "[key]")
    path: list[str | int] = []
    place = document.root
    for k, part in enumerate(loc):
        inner = place.child(part)
        if inner is not None:
            place = inner
            path.append(part)
        elif kind == "missing" and k == len(loc) - 1:
            path.append(part)
    return tuple(path)


def _keys(model: type[BaseModel], loc: Loc) -> list[str]:
    inner = plain(annotation_at(model, loc))
    return list(fields(inner)) if isinstance(inner, type) and issubclass(inner, BaseModel) else []


def _message(model: type[BaseModel], loc: Loc, kind: str, error: Any) -> str:
    """The sentence for one of pydantic's errors."""
    context = error.get("ctx", {})
    annotation = annotation_at(model, loc)
    if kind == "missing":
        return f"missing, write for example '{loc[-1]}: {example(annotation)}'"
    if kind == "extra_forbidden":
        return "unknown key" + did_you_mean(str(loc[-1]), _keys(model, loc[:-1]))
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"{words} {written(annotation, context[name])}, got {shown(error['input'])}"
    if kind == "value_error":
        return str(context["error"])
    writer = _WORDS.get(kind)
    return writer(error) if writer else f"{error['msg'][0].lower()}{error['msg'][1:]}, got {shown(error['input'])}"


def shown(value: Any) -> str:
    """A value as its author wrote it, or what it is where it is long."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return repr(value)


def _literal(error: Any) -> str:
    choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
    value = error["input"]
    near = closest(value, choices) if isinstance(value, str) else None
    return f"expected one of {', '.join(choices)}, got {shown(value)}" + (f": did you mean {near!r}?" if near else "")


def _text(error: Any) -> str:
    value = error["input"]
    quotes = isinstance(value, int | float) and not isinstance(value, bool)
    return f"expected text, got {shown(value)}" + (": put it in quotes" if quotes else "")


def _mapping(error: Any) -> str:
    name = error.get("ctx", {}).get("class_name", "")
    return f"{_EXPECTED.get(name, 'expected keys and values')}, got {shown(error['input'])}"


def _name(error: Any) -> str:
    return f"{error['input']!r} is not a name: use letters, digits, '_' and '-', and start with a letter"


def _expected(noun: str) -> Callable[[Any], str]:
    return lambda error: f"expected {noun}, got {shown(error['input'])}"


_WORDS: Final[dict[str, Callable[[Any], str]]] = {
    "literal_error": _literal,
    "string_type": _text,
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda error: f"must not be longer than {error['ctx']['max_length']} characters",
    "string_pattern_mismatch": _name,
    "model_type": _mapping,
    "dict_type": _mapping,
    "tuple_type": _expected("a list"),
    "too_short": lambda error: f"needs at least {error['ctx']['min_length']}",
    "int_type": _expected("a whole number"),
    "int_from_float": _expected("a whole number"),
    "float_type": _expected("a number"),
    "float_parsing": _expected("a number"),
    "finite_number": _expected("a finite number"),
    "bool_type": _expected("true or false"),
    "bool_parsing": _expected("true or false"),
}

KINDS: Final = frozenset({"missing", "extra_forbidden", "value_error", *_BOUNDS, *_WORDS})
"""Pydantic's errors that have a sentence of their own; a test proves that no other can happen."""
