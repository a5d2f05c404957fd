"""Figures: functions that draw a result (or several results of other seeds), and say in words what it shows.

They draw what the analysis has worked out, and compute nothing.
"""

try:
    import plotly  # noqa: F401
except ImportError as error:
    from replsim.errors import MissingExtra

    raise MissingExtra("plotly is not installed: pip install 'replsim[report]'") from error

from replsim.plots.accessor import Plot
from replsim.plots.beside import beside
from replsim.plots.cluster import topology, topology_frames
from replsim.plots.commits import commit_latency
from replsim.plots.compared import compare_latency, compare_latency_reading, compared
from replsim.plots.differences import differences, differences_reading
from replsim.plots.export import every_figure, fragment, library, save, write_images
from replsim.plots.failovers import commit_fates, primaries, recovery
from replsim.plots.heatmap import clickable_map, map_reading
from replsim.plots.lives import follow, follow_read
from replsim.plots.parts import breakdown
from replsim.plots.readings import reading
from replsim.plots.reads import stale_reads
from replsim.plots.service import felt, service, silences
from replsim.plots.standbys import lag, loss
from replsim.plots.tradeoff import tradeoff, tradeoff_reading
from replsim.plots.visibility import t_visibility

__all__ = [
    "Plot",
    "beside",
    "breakdown",
    "clickable_map",
    "commit_fates",
    "commit_latency",
    "compare_latency",
    "compare_latency_reading",
    "compared",
    "differences",
    "differences_reading",
    "every_figure",
    "felt",
    "follow",
    "follow_read",
    "fragment",
    "lag",
    "library",
    "loss",
    "map_reading",
    "primaries",
    "reading",
    "recovery",
    "save",
    "service",
    "silences",
    "stale_reads",
    "t_visibility",
    "topology",
    "topology_frames",
    "tradeoff",
    "tradeoff_reading",
    "write_images",
]
