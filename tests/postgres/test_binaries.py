"""PostgreSQL's programs are found where they usually are, or the message says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from replsim.engines.postgres.binaries import NEEDED, Binaries
from replsim.errors import MissingExtra


def install(folder: Path, version: str, programs: tuple[str, ...] = NEEDED) -> Path:
    """A folder with programs that only know their version."""
    folder.mkdir(parents=True)
    for program in programs:
        file = folder / program
        file.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        file.chmod(0o755)
    return folder


def test_what_is_on_the_path_comes_first(tmp_path: Path) -> None:
    """A version on the PATH is taken before a newer one in a usual place."""
    on_path = install(tmp_path / "a", "14.2")
    install(tmp_path / "usual" / "17" / "bin", "17.1")
    assert Binaries.find(str(on_path), (f"{tmp_path}/usual/*/bin",)) == Binaries(on_path, "14.2")


def test_of_the_usual_places_the_newest_version_wins(tmp_path: Path) -> None:
    """Versions are compared as numbers: 15 is newer than 9.6, and 18beta1 newer than 15."""
    for version in ("15.18", "9.6.24", "18beta1"):
        install(tmp_path / version / "bin", version)
    found = Binaries.find("", (f"{tmp_path}/*/bin",))
    assert (found.version, found.major) == ("18beta1", 18)
    assert found["initdb"] == f"{tmp_path}/18beta1/bin/initdb"


def test_a_link_on_the_path_leads_to_the_real_folder(tmp_path: Path) -> None:
    """A PATH that holds a link to initdb alone leads to the folder in which all programs are."""
    real = install(tmp_path / "real", "16.0")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "initdb").symlink_to(real / "initdb")
    assert Binaries.find(str(tmp_path / "links"), ()).folder == real


def test_clients_alone_are_not_enough(tmp_path: Path) -> None:
    """A folder that lacks one of the programs is passed over, and the message names them, the places and the mend."""
    install(tmp_path / "clients", "15.1", ("initdb", "pg_basebackup"))
    with pytest.raises(MissingExtra) as missing:
        Binaries.find(str(tmp_path / "clients"), ("/no/such/place",))
    for word in (*NEEDED, "/no/such/place", "apt-get install postgresql"):
        assert word in str(missing.value)


def test_a_version_that_is_too_old_is_named(tmp_path: Path) -> None:
    """A server older than 13 is refused with its version and its place."""
    install(tmp_path / "old", "12.9")
    with pytest.raises(MissingExtra, match=r"12\.9 in .*old is too old"):
        Binaries.find(str(tmp_path / "old"), ())
