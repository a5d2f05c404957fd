"""What a place in a scenario may hold, read off the models: its keys, an example, and how a bound is written."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, PlainSerializer, Tag, WithJsonSchema
from pydantic.fields import FieldInfo

__all__ = ["annotation_at", "choices", "default", "example", "fields", "plain", "written"]


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """A model's fields by the name that is written in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def annotation_at(model: type[BaseModel], loc: Sequence[str | int]) -> Any:
    """The annotation at pydantic's ``loc``, or None where the models know no such place."""
    annotation: Any = model
    recursive: Any = None
    for part in loc:
        if isinstance(inner := plain(annotation), type) and "mixture" in getattr(inner, "model_fields", ()):
            recursive = inner
        annotation = _step(annotation, part)
        # A mixture's parts are distributions again, which pydantic leaves as a reference.
        if type(plain(annotation)).__name__ == "PydanticRecursiveRef":
            annotation = recursive
    return annotation


def example(annotation: Any, metadata: Sequence[Any] = ()) -> str:
    """A value of this kind, as it may be written in a file."""
    for mark in (*metadata, *_marks(annotation)):
        examples = (
            mark.json_schema.get("examples")
            if isinstance(mark, WithJsonSchema) and mark.json_schema
            else getattr(mark, "examples", None)
        )
        if examples:
            return str(examples[0])
    inner = plain(annotation)
    if get_origin(inner) is tuple:
        return f"[{example(get_args(inner)[0])}]"
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        if "constant" in inner.model_fields:
            return _of_field(inner.model_fields["constant"])
        needed = {key: field for key, field in fields(inner).items() if field.is_required()}
        return "{" + ", ".join(f"{key}: {_of_field(field)}" for key, field in needed.items()) + "}"
    return "5ms" if type(inner).__name__ == "PydanticRecursiveRef" else "1"


def written(annotation: Any, value: Any) -> str:
    """A value that is held inside (such as a bound) as it is written in a file."""
    for mark in _marks(annotation):
        if isinstance(mark, PlainSerializer):
            return str(mark.func(value))  # type: ignore[call-arg]
    return f"{value:g}" if isinstance(value, float) else str(value)


def default(field: FieldInfo) -> Any:
    """A field's default as a file would hold it, or None where there is none, or nothing."""
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, tuple | dict):
        assert not value, "only empty collections are defaults"
        return None
    text = written(Annotated[field.annotation, *field.metadata], value)
    return value if text == f"{value:g}" else text


def _of_field(field: FieldInfo) -> str:
    return str(field.examples[0]) if field.examples else example(field.annotation, field.metadata)


def choices(annotation: Any) -> dict[str, type[BaseModel]]:
    """The models among which a tag chooses, by their tags; none where there is no choice."""
    inner = annotation
    while get_origin(inner) is Annotated:
        inner = get_args(inner)[0]
    tagged = get_args(inner) if get_origin(inner) in (Union, types.UnionType) else ()
    return {mark.tag: plain(arg) for arg in tagged for mark in _marks(arg) if isinstance(mark, Tag)}


def _step(annotation: Any, part: str | int) -> Any:
    if chosen := choices(annotation).get(str(part)):
        return chosen
    inner = plain(annotation)
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        field = fields(inner).get(str(part))
        return None if field is None else Annotated[field.annotation, field, *field.metadata]
    if get_origin(inner) is dict:
        return get_args(inner)[0] if part == "[key]" else get_args(inner)[1]
    if get_origin(inner) is tuple:
        return get_args(inner)[0]
    return inner


def plain(annotation: Any) -> Any:
    """The annotation without Annotated and without ``| None``."""
    if get_origin(annotation) is Annotated:
        return plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return plain(next(arg for arg in get_args(annotation) if arg is not type(None)))
    return annotation


def _marks(annotation: Any) -> Iterator[Any]:
    """What stands in an annotation's Annotated, from the outside in."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        yield from marks
        yield from _marks(inner)
    elif get_origin(annotation) in (Union, types.UnionType):
        yield from _marks(next(arg for arg in get_args(annotation) if arg is not type(None)))
