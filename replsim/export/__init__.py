"""Results for other tools: a page that stands alone, and a trace for Perfetto."""

from replsim.export.report import report
from replsim.export.trace import stretch, trace

__all__ = ["report", "stretch", "trace"]
