"""Settings that a sampler proposes (optuna), a generation at a time, the same for the same seed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence

from replsim.errors import MissingExtra
from replsim.study.knobs import Knob

__all__ = ["suggestions"]

Tried = Callable[[Sequence[Mapping[str, str]]], list[tuple[list[float], float]]]
"""Runs a generation of settings; gives the goals of each (less is better), and how far it breaks its conditions."""


def suggestions(knobs: Sequence[Knob], trials: int, generation: int, seed: int, goals: int, tried: Tried) -> None:
    """Have ``trials`` settings tried, each generation chosen by what the ones before it came to.

    The sampler is a tree of Parzen estimators (Bergstra et al. 2011), with constraints.  Generations are of one size,
    whatever the number of workers, so the search is the same on all of them.
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingExtra("optuna is not installed: pip install 'replsim[optimize]'") from error
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            # The liar, who keeps trials that are under way from being proposed again, is 'experimental'.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(seed=seed % 2**32, constant_liar=True)
            study = optuna.create_study(directions=["minimize"] * goals, sampler=sampler)
            for first in range(0, trials, generation):
                asked = [study.ask() for _ in range(min(generation, trials - first))]
                chosen = [{knob.path: _value(trial, knob) for knob in knobs} for trial in asked]
                for trial, (values, excess) in zip(asked, tried(chosen), strict=True):
                    trial.set_constraint("excess", excess if math.isfinite(excess) else 1e9)
                    if all(math.isfinite(value) for value in values):
                        study.tell(trial, values)
                    else:
                        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    finally:
        optuna.logging.set_verbosity(before)


def _value(trial: object, knob: Knob) -> str:
    """The value of a knob in a trial: one of its list, or one of a thousand steps of its range."""
    if knob.values:
        return str(trial.suggest_categorical(knob.path, list(knob.values)))  # type: ignore[attr-defined] # optuna's
    return knob.at(trial.suggest_int(knob.path, 0, 1000) / 1000)  # type: ignore[attr-defined] # optuna's
