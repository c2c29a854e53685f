"""Becomes another program, which is told to end (SIGTERM) when the process that started it dies.

supervisord cannot tell its processes anything when it is killed itself: they would go on, out of
reach, and keep the port and the locks from the next server.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h; it stays over exec, and no child inherits it

if __name__ == "__main__":
    program = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    os.execv(program[0], program)  # noqa: S606 - no shell is meant
