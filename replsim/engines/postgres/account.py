"""Who the servers run as: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from replsim.errors import ServerFailed

__all__ = ["Account"]

CANDIDATES: Final = ("postgres", "nobody")
"""The accounts that root steps down to, the first that exists."""


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged user of this machine."""

    name: str
    uid: int
    gid: int

    @classmethod
    def choose(cls) -> Self:
        """Ourselves, or for root an account without privileges.  Raises `ServerFailed` where there is none."""
        own = os.geteuid()
        if own != 0:
            return cls(_name(own), own, os.getegid())
        for name in CANDIDATES:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            if entry.pw_uid != 0:
                return cls(name, entry.pw_uid, entry.pw_gid)
        raise ServerFailed(
            f"PostgreSQL does not run as root, and there is no user {' or '.join(CANDIDATES)} to run it as: "
            "run replsim as another user"
        )

    @property
    def is_other(self) -> bool:
        """Whether it is not the one that we run as."""
        return self.uid != os.geteuid()

    def can_enter(self, folder: Path) -> bool:
        """Whether it can reach what lies in ``folder``, going by owners and permissions."""
        for each in (folder, *folder.parents):
            status = each.stat()
            bit = 0o100 if status.st_uid == self.uid else 0o010 if status.st_gid == self.gid else 0o001
            if not status.st_mode & bit:
                return False
        return True


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
