"""The house rules that a machine can see: who imports whom, how long files get, and what stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import replsim

ROOT = Path(__file__).resolve().parents[1]

FACTS = {"record", "scenario", "rules", "randomness", "units", "errors"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "units": {"errors"},
    "randomness": {"units", "errors"},
    "rules": {"units", "errors"},
    "kernels": set(),
    "scenario": {"rules", "randomness", "units", "errors"},
    "record": {"scenario", "kernels", "units", "errors"},
    "engines": FACTS | {"kernels"},
    "analysis": FACTS | {"kernels"},
    "summary": FACTS | {"analysis"},
    "plots": FACTS | {"analysis", "summary"},
    "result": FACTS | {"analysis", "plots", "summary"},
    "export": FACTS | {"analysis", "plots", "result", "summary"},
    "streamed": FACTS | {"analysis", "result", "summary"},
    "choice": FACTS | {"engines"},
    "front": FACTS | {"choice", "analysis", "engines", "result", "streamed", "summary"},
    "study": FACTS | {"analysis", "front", "plots", "result", "summary"},
    "calibrate": FACTS | {"analysis", "engines", "front", "result", "summary"},
    "proof": FACTS | {"calibrate", "engines", "front", "result", "summary"},
    "cli": FACTS
    | {"streamed", "analysis", "calibrate", "export", "front", "plots", "proof", "result", "study", "summary"},
    "": {"errors", "front", "result", "scenario", "study"},
    "__main__": {"cli"},
}
"""Who may import whom; docs/decisions/0001 says why.  The empty name is ``replsim/__init__.py`` itself."""

HOMES: dict[str, str | tuple[str, ...]] = {
    "simpy": "replsim/engines/events/",
    "numba": "replsim/kernels/",
    "psycopg": "replsim/engines/postgres/",
    "networkx": ("replsim/scenario/", "replsim/engines/", "replsim/plots/"),
    "plotly": "replsim/plots/",
    "kaleido": "replsim/plots/",
    "yaml": "replsim/scenario/",
    "typer": "replsim/cli/",
    "rich": "replsim/cli/",
    "streamlit": ("dashboard/", "replsim/cli/dashboard.py"),
}
"""Where alone each of these libraries may be imported."""

HEAVY = {"scipy", "pandas", "plotly", "streamlit", "numba", "pyarrow", "simpy", "networkx"}
"""What neither ``import replsim`` nor ``replsim --help`` may load."""

PUBLIC = [
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

MOST_LINES_IN_A_FILE = 400
MOST_LINES_IN_A_FUNCTION = 70


def sources(*folders: str) -> list[Path]:
    """All Python files below the given folders, as paths from the root."""
    return sorted(path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, also inside its functions, with the line."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            assert node.module is not None
            yield node.module, node.lineno
            # `from replsim import units` names a module, or something from the front.
            if node.module == "replsim":
                yield from ((f"replsim.{alias.name}", node.lineno) for alias in node.names)


def package(path: Path) -> str:
    """The part of replsim that a file belongs to, such as ``record``; empty for the front door itself."""
    part = path.parts[1].removesuffix(".py")
    return "" if part == "__init__" else part


def test_every_import_follows_the_arrows() -> None:
    """Each part of replsim imports only what stands below it."""
    wrong = []
    for path in sources("replsim"):
        here = package(path)
        assert here in MAY_IMPORT, f"{path}: say in MAY_IMPORT what a new part of replsim may import"
        for module, line in imports(path):
            if module.startswith("replsim."):
                there = module.split(".")[1]
                if there != here and there not in MAY_IMPORT[here]:
                    wrong.append(f"{path}:{line}: {here or 'the front door'} imports {there}")
    assert not wrong, "\n".join(wrong)


def test_every_row_of_the_table_is_a_part_that_exists() -> None:
    """No row of MAY_IMPORT outlives the part of replsim that it speaks of."""
    assert set(MAY_IMPORT) == {package(path) for path in sources("replsim")}


def test_the_arrows_have_no_cycle() -> None:
    """The table itself allows no two parts to import each other, directly or round about."""
    below = {part: set(parts) for part, parts in MAY_IMPORT.items()}
    while below:
        ground = {part for part, parts in below.items() if not parts}
        assert ground, f"these parts may import each other: {sorted(below)}"
        below = {part: parts - ground for part, parts in below.items() if part not in ground}


def test_each_engine_stands_alone() -> None:
    """No engine imports another one, so that each can prove the other."""
    for path in sources("replsim/engines"):
        own = path.parts[2].removesuffix(".py")
        for module, line in imports(path):
            if module.startswith("replsim.engines."):
                assert module.split(".")[2] == own, f"{path}:{line}: {own} imports {module}"


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_in_its_one_home(library: str) -> None:
    """A library with one purpose is imported in one place, which alone has to change with it."""
    wrong = [
        f"{path}:{line}"
        for path in sources("replsim", "dashboard")
        for module, line in imports(path)
        if module.split(".")[0] == library and not path.as_posix().startswith(HOMES[library])
    ]
    assert not wrong, f"{library} belongs to {HOMES[library]}: {wrong}"


@pytest.mark.parametrize(
    "code",
    [
        "import replsim",
        "import replsim.cli",
        "from replsim.cli import main; main(['--help'])",
        "from replsim.cli import main; main(['run', '--help'])",
    ],
)
def test_the_light_path_loads_nothing_heavy(code: str) -> None:
    """A first look at replsim costs no second: none of the heavy libraries is loaded for it."""
    look = (
        f"import sys\ntry:\n    {code}\nexcept SystemExit as end:\n    assert not end.code\nprint('\\n', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "replsim" in loaded
    assert not loaded & HEAVY


def test_the_public_names_are_pinned() -> None:
    """What `replsim` exports changes only together with this list, and each name is there."""
    assert replsim.__all__ == PUBLIC
    assert [name for name in PUBLIC if getattr(replsim, name, None) is None] == []
    assert set(PUBLIC) <= set(dir(replsim))


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    """A name that replsim does not export fails as a name of any module does."""
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        replsim.walk  # noqa: B018


def test_every_module_pins_its_own_names() -> None:
    """Each module of replsim that others import from lists its public names in ``__all__``, once each."""
    for path in sources("replsim"):
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        public = [
            node.name
            for node in tree.body
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
        ]
        pinned = [
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and ast.unparse(node).startswith("__all__") and node.value
        ]
        if public:
            assert pinned, f"{path} has public names, but no __all__"
        for names in pinned:
            assert len(set(names)) == len(names), f"{path}: __all__ names something twice"


def test_files_and_functions_stay_short() -> None:
    """A file holds one noun, and a function one thought: 400 and 70 lines are the most."""
    wrong = []
    for path in sources("replsim", "dashboard", "tests"):
        text = (ROOT / path).read_text(encoding="utf-8")
        if (lines := text.count("\n")) > MOST_LINES_IN_A_FILE:
            wrong.append(f"{path}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                if (lines := node.end_lineno - node.lineno + 1) > MOST_LINES_IN_A_FUNCTION:
                    wrong.append(f"{path}:{node.lineno}: {node.name} has {lines} lines")
    assert not wrong, "\n".join(wrong)


def test_every_test_says_what_it_shows() -> None:
    """Each test has a docstring: the sentence that it proves."""
    silent = [
        f"{path}:{node.lineno}: {node.name}"
        for path in sources("tests")
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert not silent, "\n".join(silent)
