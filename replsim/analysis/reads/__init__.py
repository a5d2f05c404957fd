"""What every read saw, and what it should have seen: computed after the run, from positions."""

from replsim.analysis.reads.table import chosen, facts_reads, reads

__all__ = ["chosen", "facts_reads", "reads"]
