"""replsim: what commit latency, replication lag, stale reads and data loss a replicated database will have.

>>> import replsim
>>> result = replsim.run("scenarios/quickstart/01_first_look.yaml")  # doctest: +SKIP
>>> result.metrics["commit_latency.p99"]  # seconds                  # doctest: +SKIP

``load`` or ``loads`` a `Scenario`, ``run`` it, and look at the `Result`.  Everything here is loaded when it is
first used, so that ``import replsim`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from replsim.errors import ReplsimError, ScenarioError

if TYPE_CHECKING:
    from replsim.front import load, loads, run, scenarios_folder
    from replsim.result import Result
    from replsim.scenario import Scenario
    from replsim.study.compare import compare
    from replsim.study.replicate import replicate
    from replsim.study.search import search
    from replsim.study.sensitivity import sensitivity
    from replsim.study.sweep import sweep

    __version__: str

__all__ = [
    "ReplsimError",
    "Result",
    "Scenario",
    "ScenarioError",
    "__version__",
    "compare",
    "load",
    "loads",
    "replicate",
    "run",
    "scenarios_folder",
    "search",
    "sensitivity",
    "sweep",
]

_HOMES: Final = {
    "Result": "replsim.result",
    "Scenario": "replsim.scenario",
    "compare": "replsim.study.compare",
    "load": "replsim.front",
    "loads": "replsim.front",
    "replicate": "replsim.study.replicate",
    "run": "replsim.front",
    "scenarios_folder": "replsim.front",
    "search": "replsim.study.search",
    "sensitivity": "replsim.study.sensitivity",
    "sweep": "replsim.study.sweep",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("replsim")
    if name not in _HOMES:
        raise AttributeError(f"module 'replsim' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
