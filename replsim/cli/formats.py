"""The formats in which commands print."""

from enum import StrEnum

__all__ = ["Format", "ListFormat"]


class Format(StrEnum):
    """How results are printed."""

    table = "table"
    json = "json"
    csv = "csv"


class ListFormat(StrEnum):
    """How a list of things is printed."""

    table = "table"
    json = "json"
    markdown = "markdown"
