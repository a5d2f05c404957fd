"""``--set path=value``: a scenario's plain data with single values replaced, before it is checked.

A path is the keys to a value, separated by dots: ``primary.synchronous_commit``, ``links.p -> s1.latency``.  A
key may stand in quotes (``links."p -> s1".latency``), and a place in a list is a number in brackets or between dots
(``expect[0]``).  A value is YAML of the scenario's own dialect; ``null`` takes the key away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, Final

from replsim.errors import Problem, ScenarioError, dotted
from replsim.scenario.dialect import Document, Place, read

__all__ = ["apply", "assignments"]

_PART: Final = re.compile(r"""\s*(?:"(?P<quoted>[^"]*)"|\[(?P<index>\d+)\]|(?P<bare>[^.\["]+))\s*""")


class _Refused(Exception):
    """Why one override cannot be applied."""


def assignments(texts: Sequence[str]) -> dict[str, str]:
    """``path=value`` texts, as given on a command line, by path; of two for one path the later holds.

    Raises `ScenarioError` for a text without ``=``.

    >>> assignments(["seed=7", "links.p -> s1.latency=5ms"])
    {'seed': '7', 'links.p -> s1.latency': '5ms'}
    """
    found: dict[str, str] = {}
    problems = []
    for text in texts:
        path, equals, value = text.partition("=")
        if equals and path.strip():
            found[path.strip()] = value.strip()
        else:
            problems.append(
                Problem((), "expected path=value, such as 'primary.synchronous_commit=local'", f"--set {text}")
            )
    if problems:
        raise ScenarioError(problems)
    return found


def apply(document: Document, overrides: Mapping[str, str]) -> None:
    """Replace the values in ``document``; what cannot be replaced joins its problems."""
    for path, text in overrides.items():
        origin = f"--set {path}={text}"
        try:
            keys = _keys(path)
            if not text.strip():
                raise _Refused("has no value: give it one, or write null to take the key away")
            value = read(text, origin, mapping=False)
            document.problems += [Problem(tuple(keys), problem.message, origin) for problem in value.problems]
            _set(document, keys, value, origin)
        except _Refused as refused:
            document.problems.append(Problem((), str(refused), origin))
        except ScenarioError as error:
            document.problems += [Problem((), problem.message, origin) for problem in error.problems]


def _keys(path: str) -> list[str | int]:
    keys: list[str | int] = []
    at = 0
    while at < len(path):
        match = _PART.match(path, at)
        if match is None:
            raise _Refused(f"the path cannot be read from {path[at:]!r} on: write keys separated by dots")
        quoted, index, bare = match.group("quoted", "index", "bare")
        keys.append(int(index) if index is not None else quoted if quoted is not None else bare.strip())
        at = match.end()
        if path[at : at + 1] == ".":
            at += 1
            if at == len(path):
                raise _Refused("the path ends in a dot")
        elif at < len(path) and path[at] != "[":
            raise _Refused(f"the path cannot be read from {path[at:]!r} on: write keys separated by dots")
    if not keys:
        raise _Refused("the path is empty")
    return keys


def _set(document: Document, keys: list[str | int], value: Document, origin: str) -> None:
    data: Any = document.data
    place = document.root
    for k, part in enumerate(keys):
        data, key = _container(data, part, keys[:k])
        children = place.children
        assert children is not None
        # A link keeps the spelling that it has in the file.
        if isinstance(key, str):
            key = next((known for known, inner in children.items() if inner is place.child(key)), key)
        if k < len(keys) - 1:
            if key not in children:
                if isinstance(data, list):
                    raise _Refused(f"{dotted(keys[:k])!r} has no item {key}")
                data[key] = [] if isinstance(keys[k + 1], int) else {}
                children[key] = Place(0, 0, 0, 0, {}, origin)
            # An alias may share them with other places, which are to stay as they are.
            data[key], children[key] = copy(data[key]), _own(children[key])
            data, place = data[key], children[key]
            continue
        if value.data is None:
            _remove(data, children, key)
            return
        if isinstance(data, list) and key == len(data):
            data.append(None)
        data[key] = value.data
        children[key] = value.root
        _mark(value.root, origin)


def _container(data: Any, part: str | int, path: list[str | int]) -> tuple[Any, Any]:
    """The mapping or list in which ``part`` is to be found, and ``part`` as a key of it."""
    where = dotted(path) or "the scenario"
    if isinstance(data, dict):
        return data, str(part)
    if isinstance(data, list):
        if not str(part).isdecimal():
            raise _Refused(f"{where!r} is a list: {part!r} is no place in it")
        if int(part) > len(data):
            raise _Refused(f"{where!r} has {len(data)} items, and the first is [0]: [{part}] is beyond the next")
        return data, int(part)
    raise _Refused(f"{where!r} is {data!r} and holds no {part!r}: set {where!r} as a whole")


def _remove(data: Any, children: dict[str | int, Place], key: str | int) -> None:
    if isinstance(data, list):
        raise _Refused("an item cannot be taken out of a list: set the whole list")
    data.pop(key, None)
    children.pop(key, None)


def _own(place: Place) -> Place:
    return replace(place, children=copy(place.children))


def _mark(place: Place, origin: str) -> None:
    place.origin = origin
    for child in (place.children or {}).values():
        _mark(child, origin)
