"""What the docstrings below the fields of models say, read from the source when somebody asks for it.

Pydantic could read them as each class is made; but that costs every run a fifth of a second, for pages that it does
not show.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import ModelSchema
from typing_extensions import override

__all__ = ["DescribedSchema", "descriptions"]


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """What each field of a model is, by the name that is written in a file."""
    told: dict[str, str] = {}
    for base in reversed(model.__mro__):
        # A generic model for one quantity has no source of its own.
        told |= _docstrings(base.__module__).get(base.__qualname__, {})
    described = {}
    for name, field in model.model_fields.items():
        text = field.description or told.get(name)
        if text:
            described[field.alias or name] = text
    return described


@cache
def _docstrings(module: str) -> Mapping[str, Mapping[str, str]]:
    """By class, and by attribute: the text that stands below it."""
    if not module.startswith("replsim."):
        return {}
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {each.name: _of_class(each) for each in tree.body if isinstance(each, ast.ClassDef)}


def _of_class(body: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            found[field.target.id] = inspect.cleandoc(below.value.value)
    return found


class DescribedSchema(GenerateJsonSchema):
    """Pydantic's JSON Schema, with the fields' docstrings as their descriptions."""

    @override
    def model_schema(self, schema: ModelSchema) -> dict[str, Any]:
        """The schema of one model."""
        found = super().model_schema(schema)
        told = descriptions(schema["cls"])
        for key, part in found.get("properties", {}).items():
            if key in told:
                part["description"] = told[key]
        return found
