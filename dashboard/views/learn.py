"""Learn: a guided tour.  Predict, then look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import streamlit as st

from dashboard import state
from dashboard.charts import chart, show_reading, theme
from dashboard.choices import choose
from dashboard.frame import results_of
from dashboard.look import apply_look
from dashboard.sources import scenario_of
from dashboard.tour import STEPS, Step
from dashboard.words import hovers
from replsim import plots
from replsim.plots.beside import BESIDE
from replsim.result import Result

_PREDICTED: Final = "predictions"
# In the address ``1.2,3.0`` says: option 2 in step 1 and option 0 in step 3.  (Streamlit would show a string here.)
_ADDRESS: Final = "predicted"


def main() -> None:
    """The page."""
    apply_look()
    state.current()
    _recall()
    st.caption(f"A tour of {len(STEPS)} steps, from one node to the death of a primary. Predict, then look.")
    words = {str(number): f"{number} ✓" if number in _predictions() else str(number) for number in _numbers()}
    place = int(choose("Step", words, "step"))
    step = STEPS[place - 1]
    st.markdown(f"#### {step.title}")
    st.html(f"<p class='said'>{hovers(step.story)}</p>")
    st.markdown(f"**{step.question}**")
    predicted = _predictions().get(place)
    choice = st.radio(
        "Your prediction", step.options, index=predicted, key=f"prediction {place}", disabled=predicted is not None,
        label_visibility="collapsed",
    )  # fmt: skip
    if predicted is None:
        st.button(
            "Run it and see", type="primary", disabled=choice is None, on_click=_predict, args=(place, step, choice),
            help="Predict first: what surprises, stays.",
        )  # fmt: skip
        return
    _answer(step, place, predicted)


def _answer(step: Step, place: int, predicted: int) -> None:
    """What the runs say of it, the lesson, the figure, and the ways on."""
    own = scenario_of(step.setup)
    other = scenario_of(step.setup.changed(dict(step.variant)))
    runs = results_of([(own, 1), (other, 1)] if step.variant else [(own, 1)])
    mine, theirs = runs[0][0], runs[-1][0]
    right = step.right(mine.metrics, theirs.metrics)
    if predicted == right:
        st.success(f"Right: {_lower(step.options[right])}.", icon=":material/check_circle:")
    else:
        st.warning(f"It is not so: {_lower(step.options[right])}.", icon=":material/lightbulb:")
    st.html(f"<p class='said'>{hovers(step.told(mine.metrics, theirs.metrics))}</p>")
    if step.variant:
        _beside(step, {"as it is": mine, step.variant_label: theirs}, f"step {place}")
    else:
        for name, options in step.figures.items():
            chart(name, [mine], options, key=f"step {place} {name}")
    with st.container(horizontal=True):
        if place < len(STEPS):
            st.button("Next step", type="primary", on_click=_step_to, args=(place + 1,))
        if st.button("Open in Explore"):
            state.goto("explore", step.setup)
        st.button("Predict again", on_click=_forget, args=(place,))


def _beside(step: Step, results: Mapping[str, Result], key: str) -> None:
    """Both runs next to each other, on the same axes where a figure has such."""
    for name, options in step.figures.items():
        alike = plots.beside(name, results, theme=theme(), **options) if name in BESIDE else {}
        for column, (label, result) in zip(st.columns(2, gap="medium"), results.items(), strict=True):
            with column:
                st.caption(label)
                if label in alike:
                    show_reading(alike[label], f"{key} {name} {label}", plots.reading(name, result, **options))
                else:
                    chart(name, [result], options, key=f"{key} {name} {label}")


def _predictions() -> dict[int, int]:
    return st.session_state.setdefault(_PREDICTED, {})  # type: ignore[no-any-return]  # it holds anything


def _recall() -> None:
    """What the address says was predicted, beside what this session knows."""
    for place, option in re.findall(r"(\d{1,2})\.(\d{1,2})", st.query_params.get(_ADDRESS, "")):
        if int(place) in _numbers() and int(option) < len(STEPS[int(place) - 1].options):
            _predictions().setdefault(int(place), int(option))
    _tell()


def _tell() -> None:
    """The predictions into the address."""
    told = ",".join(f"{place}.{option}" for place, option in sorted(_predictions().items()))
    if told:
        st.query_params[_ADDRESS] = told
    elif _ADDRESS in st.query_params:
        del st.query_params[_ADDRESS]


def _predict(place: int, step: Step, choice: str) -> None:
    _predictions()[place] = step.options.index(choice)
    _tell()


def _forget(place: int) -> None:
    _predictions().pop(place, None)
    st.session_state.pop(f"prediction {place}", None)
    _tell()


def _step_to(place: int) -> None:
    st.query_params["step"] = str(place)


def _numbers() -> range:
    return range(1, len(STEPS) + 1)


def _lower(words: str) -> str:
    return words[0].lower() + words[1:]


main()
