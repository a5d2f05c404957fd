"""The notebooks run from the top to the bottom, and end where they say."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.md"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path) -> None:
    """Every cell runs without an error, every figure cell ends in a figure, and every reading is printed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jupytext
        import nbclient

        notebook = jupytext.read(path)
        nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(FOLDER)}}).execute()
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(codes) > 10
    for cell in codes:
        kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
        if ".plot." in cell.source or "plots." in cell.source:
            drawn = "application/vnd.plotly.v1+json" in kinds
            said = any(output.get("name") == "stdout" for output in cell.outputs)
            assert drawn or ("print(" in cell.source and said), cell.source
            assert drawn or cell.source.rstrip().endswith(")"), cell.source
    text = "".join(output.get("text", "") for cell in codes for output in cell.outputs)
    assert "No read missed a commit that its client already knew of" in text


def test_there_is_a_notebook_to_start_with() -> None:
    """The first steps are among them."""
    assert FOLDER / "first_steps.md" in NOTEBOOKS
