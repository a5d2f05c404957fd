"""Samples from CSV files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from replsim.errors import UnitError
from replsim.randomness import DurationDistribution, samples
from replsim.randomness.samples import Samples, read_column

TABLE = "node,duration,kind\np,4.5,1\ns1,6,2\n\np,5.5,2\n"


def test_a_column_by_its_name(tmp_path: Path) -> None:
    """The named column is read, in the file's order, blank lines aside."""
    (tmp_path / "a.csv").write_text(TABLE)
    assert read_column(tmp_path, "a.csv", "duration", {}) == [4.5, 6, 5.5]


def test_rows_are_chosen_by_other_columns(tmp_path: Path) -> None:
    """``where`` keeps the rows that hold exactly the given text, or number, in every named column."""
    (tmp_path / "a.csv").write_text(TABLE)
    assert read_column(tmp_path, "a.csv", "duration", {"node": "p"}) == [4.5, 5.5]
    assert read_column(tmp_path, "a.csv", "duration", {"node": "p", "kind": 2}) == [5.5]


def test_a_file_of_numbers_needs_no_header(tmp_path: Path) -> None:
    """A single column without a name is read as it is."""
    (tmp_path / "a.csv").write_text("1\n2.5\n")
    assert read_column(tmp_path, "a.csv", None, {}) == [1, 2.5]


def test_without_a_name_the_first_column_is_read(tmp_path: Path) -> None:
    """A header is skipped."""
    (tmp_path / "a.csv").write_text("duration,node\n1,p\n2.5,p\n")
    assert read_column(tmp_path, "a.csv", None, {}) == [1, 2.5]


def test_a_compressed_file(tmp_path: Path) -> None:
    """A name that ends in ``.gz`` is unpacked."""
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(TABLE.encode()))
    assert read_column(tmp_path, "a.csv.gz", "duration", {"node": "s1"}) == [6]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_file_beyond_the_size_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound holds for what is unpacked, so a small archive cannot fill the memory."""
    monkeypatch.setattr(samples, "LARGEST_FILE_BYTES", 1000)
    text = b"1\n" * 501
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    with pytest.raises(UnitError, match="larger than 1000 bytes"):
        read_column(tmp_path, name, None, {})


@pytest.mark.parametrize("data", [b"\xff\xfe\n", b"a,b\n1\n", b'"' + b"x" * 200_000 + b'"\n', b"nan\n1\n", b"1\ninf\n"])
def test_what_is_not_a_table_of_numbers_is_refused(data: bytes, tmp_path: Path) -> None:
    """Whatever is in a file, it is read or refused, never a crash."""
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(UnitError, match=r"a\.csv"):
        read_column(tmp_path, "a.csv", None, {})


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A folder of that name is not read."""
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(UnitError, match="there is no file"):
        read_column(tmp_path, "a.csv", None, {})


def test_a_distribution_reads_its_file_once(tmp_path: Path) -> None:
    """The samples are held, in the quantity's inner unit, when the file is gone."""
    (tmp_path / "a.csv").write_text(TABLE)
    written = {"empirical": {"file": "a.csv", "column": "duration", "unit": "us", "where": {"node": "p"}}}
    distribution = DurationDistribution.model_validate(written, context={"folder": tmp_path})
    (tmp_path / "a.csv").unlink()
    assert distribution.empirical is not None
    assert distribution.empirical.measured.tolist() == [4500, 5500]


def test_samples_cannot_be_written_to() -> None:
    """What one run is given, another run finds unchanged."""
    with pytest.raises(ValueError, match="read-only"):
        Samples([1.0, 2.0]).values[0] = 5
