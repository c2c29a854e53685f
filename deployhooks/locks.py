"""Locks by which one process makes itself known; the kernel tells who holds them.

POSIX record locks: they end with the process, no child inherits them, and others can ask for the
holder's true pid. A pid file does none of that. They are also lost when the holder itself opens and
closes the same file again: who holds one must not ask for it.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path
from typing import IO

import psutil

# struct flock of Linux on 64 bit: l_type, l_whence, l_start, l_len, l_pid.
FLOCK = "hhqqi4x"


class AlreadyHeld(Exception):
    """Another process holds the lock."""


def hold(path: Path) -> IO[str]:
    """Take the lock; it is held until the returned file is closed. Raises AlreadyHeld."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise AlreadyHeld(path) from None
    return file


def find_holder(path: Path) -> psutil.Process | None:
    """Return the living process that holds the lock, None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        question = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, question)
    finally:
        os.close(descriptor)
    kind, _, _, _, pid = struct.unpack(FLOCK, answer)
    try:
        return None if kind == fcntl.F_UNLCK else psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
