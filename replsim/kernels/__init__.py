"""Loops over arrays, compiled: what NumPy would need many passes for.  The one place that knows the compiler."""

from replsim.kernels.compiled import compiled, part

__all__ = ["compiled", "part"]
