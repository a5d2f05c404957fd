"""The dialect of YAML that scenarios are written in, read into plain data that knows its places.

YAML 1.2's core schema, and less: mappings with text keys, lists, text, numbers, ``true``, ``false`` and
``null``.  So ``on``, ``off``, ``yes`` and ``no`` are text, ``1e3`` is a number, ``010`` is ten, and a time or a
date is text.  Duplicate keys, tags, merge keys (``<<``) and empty values are refused with their place; the size
of a file, its depth and what its aliases unfold to are bounded.  Nothing is ever constructed but plain data.

PyYAML's own composer and resolver read YAML 1.1 and recurse; only its scanner (libyaml where it is there) is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import yaml

from replsim.errors import Problem, ScenarioError

__all__ = ["DEEPEST", "LARGEST_BYTES", "MOST_VALUES", "Document", "Place", "read", "scalar"]

LARGEST_BYTES: Final = 1024 * 1024
"""The largest scenario file; samples beyond that belong in a CSV file."""
MOST_VALUES: Final = 200_000
"""The most values in a scenario, each use of an alias counted anew."""
DEEPEST: Final = 40
"""The most levels of nesting."""

_NULL: Final = re.compile(r"~|null|Null|NULL|")
_TRUE: Final = re.compile(r"true|True|TRUE")
_FALSE: Final = re.compile(r"false|False|FALSE")
_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,300}")
_OCTAL: Final = re.compile(r"0o[0-7]{1,300}")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]{1,300}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE: Final = re.compile(r"[-+]?(\.inf|\.Inf|\.INF)")
_NAN: Final = re.compile(r"\.nan|\.NaN|\.NAN")

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Place:
    """Where a value stands, counted from 1, and where its key does; and the places of what it holds.

    ``origin`` is the ``--set`` that gave the value, where it did not come from the file.
    """

    line: int
    column: int
    key_line: int
    key_column: int
    children: dict[str | int, Place] | None = None
    """None for a scalar."""
    origin: str = ""

    def child(self, part: str | int) -> Place | None:
        """The place of a key or an index; a link is found however its arrow is spaced."""
        if self.children is None:
            return None
        if part in self.children or isinstance(part, int):
            return self.children.get(part)
        wanted = "".join(part.split())
        spelled = (key for key in self.children if "->" in part and "".join(str(key).split()) == wanted)
        return self.children.get(next(spelled, part))


@dataclass(slots=True)
class Document:
    """A file as plain data and places, with the problems of its spelling."""

    data: Any
    root: Place
    file: str
    lines: list[str]
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: tuple[str | int, ...], message: str, line: int, column: int) -> Problem:
        """A problem at a line and column of this file (both from 1)."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        # A long line is cut behind the caret, a tab is as wide as the caret's padding.
        snippet = text.replace("\t", " ")[: max(column + 40, 120)]
        return Problem(path, message, self.file, line, column, snippet)

    def at(self, path: tuple[str | int, ...], message: str, *, key: bool = False) -> Problem:
        """A problem at the value (or the ``key``) of ``path``, or at what is nearest above it in the file."""
        place = self.root
        whole = True
        for part in path:
            inner = place.child(part)
            if inner is None:
                whole = False
                break
            place = inner
        if place.origin:
            return Problem(path, message, place.origin)
        if key or not whole or place.children is not None:
            return self.problem(path, message, place.key_line, place.key_column)
        return self.problem(path, message, place.line, place.column)


def scalar(text: str) -> Any:
    """What an unquoted text stands for in YAML 1.2's core schema: null, a boolean, a number, or itself.

    >>> [scalar(text) for text in ("on", "true", "010", "1e3", "12:30", "~")]
    ['on', True, 10, 1000.0, '12:30', None]
    """
    if _WHOLE.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    for pattern, value in ((_NULL, None), (_TRUE, True), (_FALSE, False)):
        if pattern.fullmatch(text):
            return value
    if _OCTAL.fullmatch(text) or _HEX.fullmatch(text):
        return int(text, 0)
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return float("nan") if _NAN.fullmatch(text) else text


def read(text: str, file: str, *, mapping: bool = True) -> Document:
    """Read one document.  Raises `ScenarioError` where its structure cannot be followed.

    What can be read around (a duplicate key, a tag, an empty value) is in the document's ``problems``.  With
    ``mapping`` False the document may be any value, as that of ``--set``.
    """
    document = Document({}, Place(1, 1, 1, 1), file, text.splitlines())
    if len(text) > LARGEST_BYTES or len(text.encode(errors="replace")) > LARGEST_BYTES:
        most = f"larger than {LARGEST_BYTES // 1024} KiB: put samples into a CSV file"
        raise ScenarioError([Problem((), most, file)])
    try:
        _Builder(document).build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise ScenarioError([_syntax(document, error)]) from None
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode(errors="ignore").splitlines() or [""]
        message = f"a character that YAML does not allow: {error.reason}"
        raise ScenarioError([document.problem((), message, len(before), len(before[-1]) + 1)]) from None
    except UnicodeEncodeError:
        raise ScenarioError([Problem((), "not UTF-8 text", file)]) from None
    if mapping and not isinstance(document.data, dict):
        message = "expected keys and values, such as 'name: my-cluster'"
        raise ScenarioError([document.problem((), message, document.root.line, document.root.column)])
    return document


def _syntax(document: Document, error: yaml.MarkedYAMLError) -> Problem:
    """A syntax error, with the mend for those that people make."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    text = document.lines[line - 1] if line <= len(document.lines) else ""
    here = text[column - 1 : column]
    problem, context = error.problem or "unreadable", error.context or ""
    if here == "\t":
        message = "indent with spaces, not with tabs"
    elif "cannot start any token" in problem:
        message = f"text that starts with {here!r} must stand in quotes"
    elif "scanning an alias" in context or "scanning an anchor" in context:
        message = "text that starts with '*' or '&' must stand in quotes"
    elif "mapping values are not allowed" in problem:
        message = "a ':' that does not fit here: mend the indentation, or put the text in quotes"
    elif "parsing a flow" in context:
        message = "a bracket that is not closed, or text with a comma or a colon within it that needs quotes"
    elif "quoted scalar" in context and "end of stream" in problem:
        message = "a quotation mark that is not closed"
    else:
        message = f"not valid YAML: {problem}" + (f" ({context})" if context else "")
    start = error.context_mark
    if start is not None and ("scanning an a" in context or "parsing a flow" in context or "quoted" in context):
        line, column = start.line + 1, start.column + 1
    return document.problem((), message, line, column)


def _tag(event: Any) -> str:
    """A tag as it is written."""
    return str(event.tag).replace("tag:yaml.org,2002:", "!!")


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being read."""

    data: Any
    place: Place
    anchor: str | None
    before: int
    height: int = 1
    key: str | None = None
    key_mark: tuple[int, int] = (0, 0)
    dropped: bool = False
    braces: bool = False


@dataclass(slots=True)
class _Anchored:
    data: Any
    place: Place
    size: int
    height: int


class _Builder:
    """Builds plain data from the parser's events, without recursion."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._values = 0
        self._documents = 0

    def build(self, events: Iterator[Any]) -> None:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    self._stop(event, "a scenario is one document: what follows '---' belongs in a file of its own")
            elif isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close()
        if not self._documents:
            raise ScenarioError(
                [Problem((), "nothing is in it: 'replsim new' writes a first scenario", self._document.file)]
            )

    def _path(self) -> tuple[str | int, ...]:
        return tuple(len(frame.data) if frame.key is None else frame.key for frame in self._stack)

    def _stop(self, event: Any, message: str) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        path = self._path()
        # A key that is only being read, and a whole document, have no path of their own.
        path = (
            path[:-1]
            if self._stack and isinstance(self._stack[-1].data, dict) and path[-1] == len(self._stack[-1].data)
            else path
        )
        raise ScenarioError([self._document.problem(path, message, line, column)])

    def _note(self, event: Any, message: str, path: tuple[str | int, ...] | None = None) -> None:
        mark = event.start_mark
        path = self._path() if path is None else path
        self._document.problems.append(self._document.problem(path, message, mark.line + 1, mark.column + 1))

    def _wants_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].data, dict) and self._stack[-1].key is None

    def _count(self, event: Any, size: int, height: int) -> None:
        self._values += size
        if self._values > MOST_VALUES:
            self._stop(event, f"more than {MOST_VALUES} values, with each use of an alias counted")
        if len(self._stack) + height > DEEPEST:
            self._stop(event, f"nested deeper than {DEEPEST} levels")

    def _place(self, event: Any) -> Place:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if self._stack and self._stack[-1].key is not None:
            return Place(line, column, *self._stack[-1].key_mark)
        return Place(line, column, line, column)

    def _scalar(self, event: Any) -> None:
        self._count(event, 1, 0)
        if self._wants_key():
            self._key(event)
            return
        if event.tag is not None:
            self._note(event, f"tags such as {_tag(event)!r} are refused: write the plain value")
        plain = event.style == "" or event.style is None
        if plain and event.value == "" and event.tag is None:
            braces = bool(self._stack) and self._stack[-1].braces
            mend = "within braces, text with a comma needs quotes" if braces else "an empty mapping is written {}"
            self._note(event, f"has no value: give it one, or leave the key out ({mend})")
        self._put(scalar(event.value) if plain else event.value, self._place(event), event.anchor, 1, 0)

    def _key(self, event: Any) -> None:
        frame = self._stack[-1]
        path = (*self._path()[:-1], event.value)
        if event.tag is not None:
            self._note(event, "a key has no tag", path)
        frame.key = event.value
        frame.key_mark = (event.start_mark.line + 1, event.start_mark.column + 1)
        frame.dropped = event.value in frame.data
        if frame.dropped:
            first = frame.place.children[event.value].key_line if frame.place.children else 0
            self._note(event, f"duplicate key: it stands in line {first} already", path)
        if event.value == "<<" and event.style in ("", None):
            frame.dropped = True
            self._note(event, "merge keys are refused: write the keys out, or use an alias for the whole value", path)

    def _open(self, event: Any) -> None:
        if self._wants_key():
            self._stop(event, "a key must be text: put it in quotes")
        self._count(event, 1, 1)
        if event.tag is not None:
            self._note(event, f"tags such as {_tag(event)!r} are refused: write the plain value")
        place = self._place(event)
        place.children = {}
        data: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._stack.append(_Frame(data, place, event.anchor, self._values - 1, braces=bool(event.flow_style)))

    def _close(self) -> None:
        frame = self._stack.pop()
        self._put(frame.data, frame.place, frame.anchor, self._values - frame.before, frame.height)

    def _alias(self, event: Any) -> None:
        if self._wants_key():
            self._stop(event, "a key must be text: an alias cannot be one")
        known = self._anchors.get(event.anchor)
        if known is None:
            self._stop(
                event, f"the alias '*{event.anchor}' has no anchor '&{event.anchor}' before it (or holds itself)"
            )
            raise AssertionError
        self._count(event, known.size, known.height)
        own = self._place(event)
        # The value is shared: whoever changes it (an override) copies what it changes.
        place = replace(known.place, key_line=own.key_line, key_column=own.key_column)
        self._put(known.data, place, None, known.size, known.height)

    def _put(self, value: Any, place: Place, anchor: str | None, size: int, height: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = _Anchored(value, place, size, height)
        if not self._stack:
            self._document.data, self._document.root = value, place
            return
        frame = self._stack[-1]
        frame.height = max(frame.height, height + 1)
        assert frame.place.children is not None
        if isinstance(frame.data, list):
            frame.place.children[len(frame.data)] = place
            frame.data.append(value)
            return
        assert frame.key is not None
        if not frame.dropped:
            frame.data[frame.key] = value
            frame.place.children[frame.key] = place
        frame.key = None
