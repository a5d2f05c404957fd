"""The JSON Schema of a scenario file, so that editors complete and check scenarios while they are written.

Pydantic's own schema knows neither the short forms (a bare quantity for a distribution, one word for a route) nor
readable names for generic models; both are mended here.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, get_args

from pydantic import BaseModel

from replsim.rules.routing import POLICIES
from replsim.scenario.described import DescribedSchema
from replsim.scenario.kinds import choices, default, fields, plain
from replsim.scenario.model import Scenario

__all__ = ["models", "schema", "text"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_QUANTITIES: Final = ("Duration", "Size", "Bandwidth", "Rate", "Fraction")
_KEYWORDS: Final = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def schema() -> dict[str, Any]:
    """The schema (draft 2020-12) as plain data."""
    raw = Scenario.model_json_schema(schema_generator=DescribedSchema)
    parts: dict[str, Any] = raw.pop("$defs")
    names = _names(parts)
    quantities: dict[str, Any] = {}
    mended = {names[key]: _mended(part, names, quantities) for key, part in parts.items()}
    whole = _mended(raw, names, quantities)
    for key, model in models().items():
        if model is Scenario or key in mended:
            part = whole if model is Scenario else mended[key]
            part["title"] = key
            _with_defaults(part, model)
    for quantity in ("Duration", "Size"):
        _shorthand_distribution(mended, quantity)
        _shorthand_exponential(mended, quantity)
    _shorthand_route(mended)
    _shorthand_arrivals(mended)
    return {
        "$schema": DIALECT,
        "title": "replsim scenario",
        "description": whole.pop("description"),
        **{key: value for key, value in whole.items() if key != "title"},
        "$defs": dict(sorted((mended | quantities).items())),
    }


def text() -> str:
    """The schema as it is written to ``scenario.schema.json``."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def models() -> dict[str, type[BaseModel]]:
    """Every model that a scenario is made of, by its name in the schema, outermost first.

    Distributions and their families stand once for each quantity: ``DurationDistribution``, ``SizeLognormal``.
    """
    found: dict[str, type[BaseModel]] = {}
    waiting: list[tuple[type[BaseModel], str]] = [(Scenario, "")]
    while waiting:
        model, quantity = waiting.pop(0)
        generic = model.__pydantic_generic_metadata__
        if generic["args"]:
            quantity = _quantity(generic["args"][0])
        origin = generic["origin"] or model
        name = (quantity if generic["args"] else "") + origin.__name__.lstrip("_")
        if name in found:
            continue
        found[name] = model
        for field in model.model_fields.values():
            waiting += [(inner, quantity) for inner in _inner_models(field.annotation)]
    return found


def _inner_models(annotation: Any) -> list[type[BaseModel]]:
    if chosen := choices(annotation):
        return list(chosen.values())
    inner = plain(annotation)
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return [inner]
    return [model for arg in get_args(inner) for model in _inner_models(arg) if arg is not Ellipsis]


def _quantity(annotation: Any) -> str:
    titles = [mark.json_schema["title"] for mark in get_args(annotation) if getattr(mark, "json_schema", None)]
    return str(titles[0])


def _names(parts: dict[str, Any]) -> dict[str, str]:
    """Readable names for generic parts, such as ``DurationLognormal``."""
    numbers = {}
    for key, part in parts.items():
        if constant := part.get("properties", {}).get("constant"):
            numbers[re.sub(r".*__", "", key)] = constant["anyOf"][0]["title"]
    names = {}
    for key in parts:
        match = re.fullmatch(r".*__([A-Z][a-z]+)_Annotated_.*__(_?\d+)", key)
        names[key] = numbers[re.sub(r".*__", "", key)] + match.group(1) if match else key
    return names


def _mended(part: Any, names: dict[str, str], quantities: dict[str, Any]) -> Any:
    """One piece of the schema: named parts, quantities referred to, pydantic's leftovers dropped."""
    if isinstance(part, list):
        return [_mended(each, names, quantities) for each in part]
    if not isinstance(part, dict):
        return part
    if part.get("title") in _QUANTITIES and "pattern" in part:
        kept = {key: part[key] for key in ("type", "title", "pattern", "minimum", "maximum", "examples") if key in part}
        title = kept["title"]
        quantities.setdefault(title, kept | {"description": f"A {title.lower()}, such as {kept['examples'][0]}."})
        own = part.get("description")
        shared = f"A {title.lower()} with its unit" if title != "Fraction" else "A fraction:"
        described = {"description": own} if own and not own.startswith(shared) else {}
        return {"$ref": f"#/$defs/{title}"} | described
    options = [each for each in part.get("anyOf", ()) if each != {"type": "null"}]
    if len(options) == 1:
        rest = {key: value for key, value in part.items() if key not in ("anyOf", "default", "title")}
        return _mended(options[0] | rest, names, quantities)
    mended: dict[str, Any] = {}
    for key, value in part.items():
        if key == "$ref":
            mended[key] = "#/$defs/" + names[value.removeprefix("#/$defs/")]
        elif key in ("properties", "patternProperties"):
            mended[key] = {name: _untitled(_mended(each, names, quantities)) for name, each in value.items()}
        elif key in _KEYWORDS and isinstance(value, int | float):
            mended[_KEYWORDS[key]] = value
        elif key == "pattern":
            mended[key] = value if value.startswith("^") else f"^{value}$"
        elif key not in ("default", "anyOf") or (key == "anyOf" and options):
            mended[key] = _mended(options if key == "anyOf" else value, names, quantities)
    if "patternProperties" in mended:
        mended["additionalProperties"] = False
    return mended


def _untitled(part: dict[str, Any]) -> dict[str, Any]:
    """A property without the title that pydantic makes of its name."""
    return {key: value for key, value in part.items() if key != "title"}


def _with_defaults(part: dict[str, Any], model: type[BaseModel]) -> None:
    """Write each default as a file would; empty ones, and parts of defaults only, speak for themselves."""
    for key, field in fields(model).items():
        value = default(field)
        if value not in (None, {}, [], ""):
            part["properties"][key]["default"] = value


def _shorthand_distribution(parts: dict[str, Any], quantity: str) -> None:
    name = f"{quantity}Distribution"
    whole = parts[name]
    families = [{"required": [key]} for key in whole["properties"]]
    parts[name] = {
        "title": name,
        "description": f"A bare {quantity.lower()}, which is always the same, or one family of distributions.",
        "anyOf": [
            {"$ref": f"#/$defs/{quantity}"},
            {
                "type": "object",
                "properties": whole["properties"],
                "additionalProperties": False,
                "oneOf": families,
            },
        ],
    }


def _shorthand_exponential(parts: dict[str, Any], quantity: str) -> None:
    name = f"{quantity}Exponential"
    keyed = parts[name]
    own = {key: keyed.pop(key) for key in ("title", "description") if key in keyed}
    parts[name] = own | {"anyOf": [{"$ref": f"#/$defs/{quantity}"}, keyed]}


def _shorthand_route(parts: dict[str, Any]) -> None:
    route = parts["Route"]
    words = list(POLICIES)
    keyed = {key: value for key, value in route.items() if key not in ("description", "required", "title")}
    parts["Route"] = {
        "title": "Route",
        "description": route["description"],
        "anyOf": [
            {"enum": words},
            {"type": "string", "description": "The name of a node.", "pattern": r"^[A-Za-z_][\w\-]*$"},
            keyed,
        ],
    }


def _shorthand_arrivals(parts: dict[str, Any]) -> None:
    arrivals = parts["Arrivals"]
    process = arrivals["properties"]["process"]
    keyed = {key: value for key, value in arrivals.items() if key not in ("description", "title")}
    keyed["oneOf"] = [{"required": [key]} for key in arrivals["properties"]]
    parts["Arrivals"] = {
        "title": "Arrivals",
        "description": arrivals["description"],
        "anyOf": [{"enum": process["enum"], "description": process["description"]}, keyed],
    }
