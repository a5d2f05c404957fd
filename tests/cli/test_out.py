"""``replsim run --out``: a folder of files, whole or not at all."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from replsim import front
from replsim.cli import files
from replsim.errors import MissingExtra
from replsim.record import Table
from replsim.units import NEVER
from tests.cli.conftest import Replsim, write


def test_out_holds_what_is_needed_to_look_again_and_to_run_again(replsim: Replsim, small: Path, tmp_path: Path) -> None:
    """The folder has the metrics, the rows, where they come from, and a scenario that runs to the same result."""
    out = tmp_path / "deep" / "out"
    assert replsim("run", small, "--out", out, "--seed", "5").code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "commits.parquet",
        "metrics.json",
        "provenance.json",
        "reads.parquet",
        "scenario.yaml",
    ]
    assert [path.name for path in out.parent.iterdir()] == ["out"], "nothing is left beside it"
    provenance = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
    again = front.run(out / "scenario.yaml", seed=provenance["seed"])
    assert again.provenance.hash == provenance["hash"]
    assert again.to_dict() == json.loads((out / "metrics.json").read_text(encoding="utf-8"))


def test_sample_files_go_along(replsim: Replsim, small: Path, tmp_path: Path) -> None:
    """A scenario that draws from measured samples runs again from the folder alone."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "fsync.csv").write_text("us\n400\n600\n", encoding="utf-8")
    flush = "primary.wal_device.flush={empirical: {file: data/fsync.csv, unit: us}}"
    out = tmp_path / "out"
    assert replsim("run", small, "--set", flush, "--out", out).code == 0
    (tmp_path / "data" / "fsync.csv").unlink()
    again = front.run(out / "scenario.yaml")
    assert again.to_dict() == json.loads((out / "metrics.json").read_text(encoding="utf-8"))


def test_several_scenarios_get_a_folder_each(replsim: Replsim, small: Path, tmp_path: Path) -> None:
    """Below DIR, each by its name; two of one name are refused before anything runs."""
    other = write(tmp_path / "other.yaml", name="other")
    assert replsim("run", small, other, "--out", tmp_path / "out").code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["other", "small"]
    twice = replsim("run", small, small, "--out", tmp_path / "twice")
    assert twice.code == 2
    assert "two scenarios are called 'small'" in twice.err
    assert not (tmp_path / "twice").exists()


def test_out_replaces_nothing_unless_forced(replsim: Replsim, small: Path, tmp_path: Path) -> None:
    """A folder with something in it is refused before the run, and replaced as a whole with --force."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("precious", encoding="utf-8")
    refused = replsim("run", small, "--out", out)
    assert (refused.code, refused.out) == (2, "")
    assert "--force" in refused.err
    assert (out / "mine.txt").read_text(encoding="utf-8") == "precious"
    assert replsim("run", small, "--out", out, "--force").code == 0
    assert not (out / "mine.txt").exists()
    assert (out / "metrics.json").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "small.yaml"]


def test_what_fails_half_way_leaves_the_old_folder(tmp_path: Path) -> None:
    """An error while the new folder is filled leaves the old one untouched, and no trace of the new."""
    old = tmp_path / "out"
    old.mkdir()
    (old / "old.txt").write_text("old", encoding="utf-8")

    def fill_the_disk() -> None:
        with files.new_folder(old) as folder:
            (folder / "new.txt").write_text("new", encoding="utf-8")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fill_the_disk()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in old.iterdir()] == ["old.txt"]


def test_without_pyarrow_rows_are_written_as_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CSV says the same as parquet: exact integers, words for codes, nothing for what did not happen."""

    def missing(*_: object) -> None:
        raise MissingExtra("pyarrow is not installed")

    monkeypatch.setattr(Table, "to_parquet", missing)
    table = Table(
        {
            "writer": np.array([1, 0], dtype=np.int16),
            "acknowledged": np.array([2**53 + 1, NEVER]),
            "lsn": np.array([7, 8]),
        },
        times=("acknowledged",),
        words={"writer": ("app", "audit")},
    )
    file = files.write_table(table, tmp_path / "commits")
    assert file == tmp_path / "commits.csv"
    with file.open(encoding="utf-8", newline="") as rows:
        assert list(csv.reader(rows)) == [
            ["writer", "acknowledged", "lsn"],
            ["audit", str(2**53 + 1), "7"],
            ["app", "", "8"],
        ]
