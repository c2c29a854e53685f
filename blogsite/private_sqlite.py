"""SQLite files that nobody but their user can read, whichever process makes them."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from typing import Any


class PrivateConnection(sqlite3.Connection):
    """Makes a missing file with mode 600; SQLite gives what lies beside it the same mode."""

    def __init__(self, database: Any, *args: Any, **kwargs: Any) -> None:
        if not str(database).startswith((":memory:", "file:")):
            # One that is there must not be opened: closing it would end SQLite's own locks.
            with suppress(FileExistsError):
                os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        super().__init__(database, *args, **kwargs)
