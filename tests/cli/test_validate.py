"""``replsim validate``: a measured run beside its simulation, and what is wrong with files that hold none."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Replsim

DATA = Path(__file__).parents[2] / "scenarios" / "validation" / "data"
RUN = "q_r200_d2-10_any1_off"


def test_a_table_tells_how_far_off_each_metric_is(replsim: Replsim) -> None:
    """Measured and simulated side by side, with the error and the limit; all within limits is exit code 0."""
    ended = replsim("validate", RUN, "--against", DATA)
    assert ended.code == 0, ended.err
    assert "within their limits" in ended.out
    line = next(line for line in ended.out.splitlines() if "s1.measured_lag.replay.p50" in line)
    assert line.split()[:4] == ["✓", "s1.measured_lag.replay.p50", "207", "ms"]
    assert "15% or 100 µs" in line


def test_a_metric_beyond_its_limit_is_exit_code_1(replsim: Replsim) -> None:
    """A scenario that differs from what was measured is told so."""
    ended = replsim(
        "validate", RUN, "--against", DATA / RUN, "--set", "primary.wal_writer_delay=50ms", "--format", "json"
    )
    assert ended.code == 1
    found = json.loads(ended.out)
    assert not found["held"]
    wrong = {row["metric"] for row in found["metrics"] if row["held"] is False}
    assert "s1.measured_lag.replay.p50" in wrong
    assert "throughput" not in wrong


def test_out_holds_the_comparison_and_its_figures(replsim: Replsim, tmp_path: Path) -> None:
    """The folder has the table as CSV and JSON, and a page with the QQ plot and the lag over time."""
    ended = replsim("validate", RUN, "--against", DATA, "--out", tmp_path / "out", "--format", "csv")
    assert ended.code == 0
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "comparison.csv",
        "comparison.html",
        "comparison.json",
    ]
    written = (tmp_path / "out" / "comparison.csv").read_text()
    assert written == ended.out
    assert next(csv.DictReader(written.splitlines()))["metric"] == "commit_latency.p50"
    page = (tmp_path / "out" / "comparison.html").read_text()
    assert "quantiles" in page
    assert "s2, measured" in page


def test_pgbench_s_own_logs_are_a_measured_run(replsim: Replsim, tmp_path: Path) -> None:
    """A folder with the logs of `pgbench -l` is enough to compare latency and throughput."""
    scenario = tmp_path / "three.yaml"
    scenario.write_text(
        "name: three\nduration: 5s\nwakeup: 0s\nprimary: {wal_device: {flush: 2ms, write: 0s}}\n"
        "writers: {a: {clients: 1}}\n"
    )
    lines = [f"0 {n} 2000 0 {1700000000 + n // 500} {n % 500 * 2000}" for n in range(2000)]
    (tmp_path / "pgbench_log.17").write_text("\n".join(lines) + "\n")
    ended = replsim("validate", scenario, "--against", tmp_path, "--format", "json")
    assert ended.code == 0, ended.out
    rows = {row["metric"]: row for row in json.loads(ended.out)["metrics"]}
    assert rows["commit_latency.p99"]["error"] == 0
    assert rows["throughput"]["measured"] == pytest.approx(500, rel=1e-3)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "there is no measured run (files such as NAME.tx.csv)"),
        ({"tx.csv": "t_end_us\n1\n"}, "tx.csv:1: has no column 'latency_us'; its columns are t_end_us"),
        ({"tx.csv": "t_end_us,latency_us\n1,x\n"}, "tx.csv:2: 'x' is not a number"),
        ({"tx.csv": "t_end_us,latency_us\n1\n"}, "tx.csv:2: has 1 fields where the header has 2"),
        ({"tx.csv": "t_end_us,latency_us\n-1,5\n"}, "no transaction ended after the warm-up"),
        ({"tx.csv.gz": "no gzip"}, "tx.csv.gz: cannot be read"),
        ({"a.tx.csv": "", "b.tx.csv": ""}, "holds several runs"),
        ({"pgbench_log.1": "hello\n"}, "pgbench_log.1:1: is not a line of 'pgbench -l'"),
    ],
)
def test_files_that_hold_no_run_are_named_with_the_line(
    replsim: Replsim, tmp_path: Path, files: dict[str, str], says: str
) -> None:
    """What is wrong with a measured run is one line: the file, its line, and what it should be."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    ended = replsim("validate", RUN, "--against", tmp_path)
    assert ended.code == 2
    assert says in ended.err
    assert "Traceback" not in ended.err


def test_a_run_is_found_by_the_beginning_of_its_files_names(replsim: Replsim, tmp_path: Path) -> None:
    """`--against` takes a folder, a file of the run, or all that its files' names begin with."""
    packed = gzip.compress(b"t_end_us,latency_us\n1000000,250\n2000000,250\n")
    (tmp_path / "other.tx.csv.gz").write_bytes(packed)
    (tmp_path / "else.tx.csv.gz").write_bytes(packed)
    for name in ("other", "other.tx.csv.gz", "other."):
        ended = replsim("validate", RUN, "--against", tmp_path / name, "--format", "csv")
        assert "commit_latency.p50,0.00025," in ended.out, name
