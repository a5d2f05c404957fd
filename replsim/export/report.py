"""One result as one page of HTML that needs no network: the answer, every figure with its reading, the scenario."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from replsim import plots
from replsim.plots.palette import THEMES, Theme

if TYPE_CHECKING:
    from replsim.result import Result

__all__ = ["report"]

STYLE: Final = """
body { font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif; margin: 0 auto;
       max-width: 960px; padding: 16px; background: %(background)s; color: %(text)s; }
h2 { font-size: 18px; margin: 32px 0 4px; } p.reading { margin: 4px 0 8px; }
.wide { overflow-x: auto; } .wide td, .wide th { white-space: nowrap; } .soft { color: %(soft)s; }
pre { background: color-mix(in srgb, %(grid)s 60%%, transparent); padding: 12px; overflow-x: auto; font-size: 13px; }
"""


def report(results: Result | Sequence[Result], *, theme: Theme = "light") -> str:
    """The page of a result, or of several of one scenario with other seeds (then figures have bands).

    Raises `MissingExtra` where plotly is not installed.
    """
    runs = tuple(results) if isinstance(results, Sequence) else (results,)
    first = runs[0]
    seeds = ", ".join(str(run.seed) for run in runs)
    told = "seed" if len(runs) == 1 else "seeds"
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(first.scenario.name)}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{STYLE % THEMES[theme]}</style>",
        f"<script>{plots.library()}</script></head><body>",
        f'<div class="wide">{first._repr_html_()}</div>',
        f'<p class="soft">{told} {seeds}, engine {escape(first.engine)}</p>',
    ]
    for name, figure in plots.every_figure(runs, theme=theme).items():
        title, figure.layout.title.text = figure.layout.title.text, ""
        said = plots.reading(name, runs)
        parts.append(
            f'<section id="{name}"><h2>{escape(title)}</h2><p class="reading">{escape(said)}</p>'
            f"{plots.fragment(figure)}</section>"
        )
    parts.append(_how(first))
    parts.append("</body></html>")
    return "\n".join(parts)


def _how(result: Result) -> str:
    """How to have this result again."""
    versions = ", ".join(f"{name} {version}" for name, version in result.provenance.versions.items())
    return (
        f"<h2>The scenario</h2><pre>{escape(result.provenance.scenario)}</pre>"
        f'<p class="soft">{escape(versions)}; hash of the record {result.provenance.hash[:16]}</p>'
    )
