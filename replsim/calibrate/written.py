"""A calibration as a commented scenario."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from replsim.calibrate.scenario import Calibration, Part

__all__ = ["written"]

PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .:/()*,-]*")
WORDS: Final = {"on", "off", "yes", "no", "true", "false", "null"}
ORDER: Final = ("primary", "standbys", "links", "writers")


def written(found: Calibration) -> str:
    """The scenario's text: every value with where it comes from, and what could not be identified by name."""
    known = {part.path: part for part in (*found.parts, *found.unknown)}
    lines = [
        "# Calibrated from measurements.  Beside each value stands where it comes from and how well it fits.",
        *(["# Not identified, and assumed:"] if found.unknown else []),
        *(f"#   {part.path}: {part.told}" for part in found.unknown),
        f"name: {_scalar(found.name)}",
        "question: What does the simulator say of the cluster that was measured?",
        "duration: 60s",
        "warmup: 5s",
    ]
    if "wakeup" in known:
        lines += list(_leaf("wakeup", known["wakeup"], 0, known["wakeup"] in found.unknown))
    tree = _tree(found)
    assumed = {part.path for part in found.unknown}
    for top in ORDER:
        if top in tree:
            lines += ["", f"{top}:", *_branch(tree[top], 1, assumed)]
    if found.measured:
        lines += ["", "# What was measured: 'replsim run' prints it beside what is simulated.", "measured:"]
        lines += [f"  {name}: {value}" for name, value in found.measured.items()]
    return "\n".join(lines) + "\n"


def _tree(found: Calibration) -> dict[str, Any]:
    """The values by the keys of their paths."""
    tree: dict[str, Any] = {"primary": {}}
    for part in (*found.parts, *found.unknown):
        *above, last = re.findall(r'"([^"]+)"|([^."]+)', part.path)
        place = tree
        for quoted, plain in above:
            place = place.setdefault(quoted or plain, {})
        place[last[0] or last[1]] = part
    for standby in found.standbys:
        tree.setdefault("standbys", {}).setdefault(standby, {})
    if not tree["primary"]:
        del tree["primary"]
    return tree


def _branch(tree: dict[str, Any], depth: int, assumed: set[str]) -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, Part):
            yield from _leaf(key, value, depth, value.path in assumed)
        elif value:
            yield f"{'  ' * depth}{_scalar(key)}:"
            yield from _branch(value, depth + 1, assumed)
        else:
            yield f"{'  ' * depth}{_scalar(key)}: {{}}"


def _leaf(key: str, part: Part, depth: int, assumed: bool) -> Iterator[str]:
    yield f"{'  ' * depth}# {'ASSUMED: ' if assumed else ''}{part.told}"
    yield f"{'  ' * depth}{_scalar(key)}: {_flow(part.value)}"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """A scalar as YAML reads it back; quoted where it must be."""
    if not isinstance(value, str):
        return json.dumps(value)
    plain = (
        PLAIN.fullmatch(value) and ": " not in value and not value.endswith((":", " ")) and value.lower() not in WORDS
    )
    return value if plain and "," not in value else json.dumps(value, ensure_ascii=False)
