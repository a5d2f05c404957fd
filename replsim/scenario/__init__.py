"""What the user asks for."""

from replsim.scenario.model import Scenario

__all__ = ["Scenario"]
