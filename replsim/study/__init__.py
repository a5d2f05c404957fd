"""Many runs: replicate, compare, sweep, search; on one core or on a cluster, to the same numbers."""

from replsim.study.executors import Here, Processes, dask, ray
from replsim.study.progress import Progress
from replsim.study.replicate import Replication, replicate
from replsim.study.statistics import Estimate
from replsim.study.store import Store

__all__ = ["Estimate", "Here", "Processes", "Progress", "Replication", "Store", "dask", "ray", "replicate"]
