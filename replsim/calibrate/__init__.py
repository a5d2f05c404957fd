"""From measurements to scenarios and back: what a real system showed, beside what is simulated."""

from replsim.calibrate.compare import Comparison, Row, compare
from replsim.calibrate.seen import Lag, Seen, seen_in
from replsim.calibrate.stored import read

__all__ = ["Comparison", "Lag", "Row", "Seen", "compare", "read", "seen_in"]
