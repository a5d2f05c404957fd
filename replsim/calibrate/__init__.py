"""From measurements to scenarios and back: what a real system showed, beside what is simulated."""

from replsim.calibrate.compare import Comparison, Row, compare
from replsim.calibrate.live import Live, on_this_machine, validate_live
from replsim.calibrate.seen import Lag, Seen, seen_in
from replsim.calibrate.stored import read

__all__ = ["Comparison", "Lag", "Live", "Row", "Seen", "compare", "on_this_machine", "read", "seen_in", "validate_live"]
