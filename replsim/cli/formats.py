"""The formats in which commands print, and what a run keeps."""

from enum import StrEnum

__all__ = ["Format", "Keep", "ListFormat"]


class Format(StrEnum):
    """How results are printed."""

    table = "table"
    json = "json"
    csv = "csv"


class Keep(StrEnum):
    """What a run keeps."""

    all = "all"
    metrics = "metrics"


class ListFormat(StrEnum):
    """How a list of things is printed."""

    table = "table"
    json = "json"
    markdown = "markdown"
