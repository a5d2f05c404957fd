"""Distributions, and the named random streams they are drawn from."""

from replsim.randomness.distributions import Distribution, DurationDistribution, SizeDistribution
from replsim.randomness.streams import Draws, HeldDraws, Streams

__all__ = ["Distribution", "Draws", "DurationDistribution", "HeldDraws", "SizeDistribution", "Streams"]
