"""What a user can get wrong, as one tree of exceptions.

::

    ReplsimError
    ├── UnitError            a quantity without a unit, or with one that does not fit   (also a ValueError)
    ├── RuleError            a rule that is not in the database's own grammar           (also a ValueError)
    ├── ScenarioError        a scenario that cannot be run; carries every `Problem` found
    ├── UnsupportedScenario  the scenario is sound, but the engine asked for cannot run it
    ├── StudyError           a study of many runs that cannot be carried out
    ├── UnknownMetric        a metric name that is not in the registry
    ├── NotInResult          asked for a commit or a read that a result does not have
    ├── MeasurementError     a file of measurements that is not there or cannot be read as one
    ├── MissingExtra         something optional that is not installed, and the command that installs it
    ├── ServerFailed         a real server did not start, did not answer, or ended by itself
    └── RunCancelled         the progress callback, or Ctrl-C, ended the run

A user's mistake is always one of these.  A bug of ours is an ``AssertionError`` and stops the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "MeasurementError",
    "MissingExtra",
    "NotInResult",
    "Problem",
    "ReplsimError",
    "RuleError",
    "RunCancelled",
    "ScenarioError",
    "ServerFailed",
    "StudyError",
    "UnitError",
    "UnknownMetric",
    "UnsupportedScenario",
]


class ReplsimError(Exception):
    """The root: catch this to catch every mistake of a user's."""


class UnitError(ReplsimError, ValueError):
    """A quantity has no unit, an unknown one, or one of another dimension."""


class RuleError(ReplsimError, ValueError):
    """A rule, such as ``synchronous_standby_names``, is not in the database's grammar."""


class UnsupportedScenario(ReplsimError):
    """The scenario is sound, but the engine that was asked for cannot run it."""


class StudyError(ReplsimError):
    """A study of many runs is asked for what does not fit together, or its store or its workers cannot be used."""


class UnknownMetric(ReplsimError, KeyError):
    """A metric name that is not in the registry."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class NotInResult(ReplsimError, LookupError):
    """A commit, a read or a node that a result does not have."""


class MeasurementError(ReplsimError, ValueError):
    """A file of measurements is not there, or cannot be read; the message names it, with the line at fault."""


class MissingExtra(ReplsimError, ImportError):
    """An optional library, or program, is not installed; the message names the command that installs it."""


class ServerFailed(ReplsimError):
    """A real server did not start, did not answer, or ended by itself; the message has its last words."""


class RunCancelled(ReplsimError):
    """The run was ended before its time, and left nothing behind."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a scenario: where it is, what it is and how to mend it.

    ``path`` is the place in the scenario as keys and indices; ``line`` and ``column`` count from 1 and
    are 0 where the scenario did not come from a file; ``snippet`` is that line of the file.
    """

    path: tuple[str | int, ...]
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    snippet: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: " if self.file else ""
        where = dotted(self.path)
        head = f"{place}{where}: {self.message}" if where else f"{place}{self.message}"
        if not self.snippet:
            return head
        return f"{head}\n    {self.snippet}\n    {' ' * (self.column - 1)}^"


class ScenarioError(ReplsimError, ValueError):
    """A scenario that cannot be run.  ``problems`` holds every mistake found, in the file's order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def dotted(path: Sequence[str | int]) -> str:
    """The place in a scenario as a user writes it: ``links."p -> s1".latency``, ``faults[0].at``.

    >>> dotted(("links", "p -> s1", "latency"))
    'links."p -> s1".latency'
    >>> dotted(("expect", 0))
    'expect[0]'
    """
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            name = key if key.replace("_", "a").replace("-", "a").isalnum() else f'"{key}"'
            text += f".{name}" if text else name
    return text
