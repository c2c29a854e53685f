"""Starts every process: no shell, no input, a deadline, killed as a group, output cleaned."""

from __future__ import annotations

import codecs
import contextlib
import os
import select
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deployhooks.redaction import RedactedStream, Redactor, configured_redactor

OUTPUT_KEPT = 64 * 1024
READ_SIZE = 64 * 1024
GRACE = 0.5  # seconds between SIGTERM and SIGKILL
SAID_LINES = 8
SAID_LENGTH = 1200


@dataclass(frozen=True)
class Finished:
    args: tuple[str, ...]
    returncode: int
    output: str


class ProcessFailed(Exception):
    """A process ended with an error, or could not be started (then 127); `str()` is a sentence."""

    def __init__(self, args: Sequence[str], returncode: int, output: str, what: str = "") -> None:
        self.args_ = tuple(args)
        self.returncode = returncode
        self.output = output
        self.what = what or f"exited {returncode}"
        super().__init__(f"{shlex.join(self.args_)} {self.what}: {self.said}")

    @property
    def said(self) -> str:
        """The last lines of its output."""
        lines = [line.rstrip() for line in self.output.splitlines() if line.strip()]
        return "\n".join(lines[-SAID_LINES:])[-SAID_LENGTH:] or "it said nothing"


class ProcessTimedOut(ProcessFailed):
    pass


def _ignore_text(text: str) -> None: ...


def _ignore_data(data: bytes) -> None: ...


def _ignore_group(pgid: int) -> None: ...


def run(
    args: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout: float,
    check: bool = True,
    on_output: Callable[[str], None] = _ignore_text,
    on_start: Callable[[int], None] = _ignore_group,
    on_end: Callable[[int], None] = _ignore_group,
    redactor: Redactor | None = None,
) -> Finished:
    """Run a program to its end and return its last output, stdout and stderr as one.

    It gets a session of its own, no stdin, and `env` instead of ours. After `timeout` seconds, or
    when anything at all is raised meanwhile, its whole process group is killed; so is what it
    leaves behind. `on_start` and `on_end` get the process group's number.
    """
    redactor = redactor or configured_redactor()
    output = _Output(RedactedStream(redactor), on_output)
    shown = tuple(map(redactor.clean, args))
    child = _start(args, shown, cwd, env, subprocess.STDOUT)
    in_time = _follow(child, timeout, output.feed, on_start, on_end)
    output.close()
    if not in_time:
        what = f"was stopped after {timeout:.0f} s"
        raise ProcessTimedOut(shown, child.returncode, output.tail, what)
    if check and child.returncode != 0:
        raise ProcessFailed(shown, child.returncode, output.tail)
    return Finished(shown, child.returncode, output.tail)


def read(
    args: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 60
) -> bytes:
    """Return all of a program's stdout as it is: for a parser, never to be shown.

    Raises like `run`; the output told is then what stood on stderr.
    """
    pieces: list[bytes] = []
    with tempfile.TemporaryFile() as stderr:
        child = _start(args, args, cwd, env, stderr.fileno())
        in_time = _follow(child, timeout, pieces.append, _ignore_group, _ignore_group)
        if in_time and child.returncode == 0:
            return b"".join(pieces)
        stderr.seek(0)
        redactor = configured_redactor()
        said = redactor.clean(stderr.read(OUTPUT_KEPT).decode("utf-8", "replace"))
    shown = tuple(map(redactor.clean, args))
    if not in_time:
        what = f"was stopped after {timeout:.0f} s"
        raise ProcessTimedOut(shown, child.returncode, said, what)
    raise ProcessFailed(shown, child.returncode, said)


def kill_group(group: int) -> None:
    """End a process group that another thread, or a process that died, has started."""
    for number, seconds in ((signal.SIGTERM, GRACE), (signal.SIGKILL, 0)):
        deadline = time.monotonic() + seconds
        try:
            os.killpg(group, number)
            while time.monotonic() < deadline:
                os.killpg(group, 0)
                time.sleep(0.02)
        except (ProcessLookupError, PermissionError):
            return


class _Output:
    """Bytes in, clean text out to a listener, and the last of it kept."""

    def __init__(self, stream: RedactedStream, listener: Callable[[str], None]) -> None:
        self._stream = stream
        self._listener = listener
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.tail = ""

    def feed(self, data: bytes) -> None:
        self._pass_on(self._stream.feed(self._decoder.decode(data)))

    def close(self) -> None:
        self._pass_on(self._stream.feed(self._decoder.decode(b"", final=True)))
        self._pass_on(self._stream.close())

    def _pass_on(self, text: str) -> None:
        if text:
            self.tail = (self.tail + text)[-OUTPUT_KEPT:]
            self._listener(text)


def _start(
    args: Sequence[str],
    shown: Sequence[str],
    cwd: Path,
    env: Mapping[str, str] | None,
    stderr: int,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(args),
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            bufsize=0,
            start_new_session=True,
        )
    except OSError as error:
        said = f"{error.strerror}: {error.filename or args[0]}"
        raise ProcessFailed(shown, 127, said, f"could not be started in {cwd}") from error


def _follow(
    child: subprocess.Popen[bytes],
    timeout: float,
    feed: Callable[[bytes], None],
    on_start: Callable[[int], None],
    on_end: Callable[[int], None],
) -> bool:
    """Pass output on until the process and its group have ended; False when time was over first."""
    try:
        watch = _Watch(child)
    except OSError:
        child.kill()
        child.wait()
        raise
    try:
        on_start(child.pid)
        in_time = watch.until_ended(timeout, feed)
        watch.end_group(feed)
    except BaseException:
        watch.end_group(_ignore_data)
        raise
    finally:
        watch.close()
        on_end(child.pid)
    return in_time


class _Watch:
    """A running child: its output, its end, and its process group.

    The group is killed before its leader is reaped: until then no other group has its number.
    """

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None  # noqa: S101 - for mypy; _start always asks for it
        self._child = child
        self._out = child.stdout
        self._pidfd = os.pidfd_open(child.pid)
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        self._poll.register(self._pidfd, select.POLLIN)
        self._at_end = self._ended = False

    def until_ended(self, seconds: float, feed: Callable[[bytes], None]) -> bool:
        return self._pump(seconds, feed, lambda: self._ended)

    def end_group(self, feed: Callable[[bytes], None]) -> None:
        """Kill what is left of the group, read what it still said, and reap its leader."""
        if self._child.returncode is not None:
            return
        self._pump(GRACE, feed, self._is_over, while_busy=True)
        if not self._is_over():
            self._signal(signal.SIGTERM)
            self._pump(GRACE, feed, self._is_over)
        self._signal(signal.SIGKILL)
        self._pump(GRACE, feed, self._is_over)
        self._child.wait()

    def close(self) -> None:
        os.close(self._pidfd)
        self._out.close()

    def _is_over(self) -> bool:
        return self._ended and self._at_end

    def _pump(
        self,
        seconds: float,
        feed: Callable[[bytes], None],
        is_done: Callable[[], bool],
        *,
        while_busy: bool = False,
    ) -> bool:
        """Read until done, or time is over, or (`while_busy`) there is nothing to read just now."""
        deadline = time.monotonic() + seconds
        while not is_done() and (left := deadline - time.monotonic()) > 0:
            ready = [fd for fd, _ in self._poll.poll(0 if while_busy else left * 1000)]
            if self._out.fileno() in ready:
                self._read(feed)
            if self._pidfd in ready:
                self._ended = True
                self._poll.unregister(self._pidfd)
            if while_busy and not ready:
                break
        return is_done()

    def _read(self, feed: Callable[[bytes], None]) -> None:
        data = os.read(self._out.fileno(), READ_SIZE)
        if data:
            feed(data)
        else:
            self._at_end = True
            self._poll.unregister(self._out)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, number)
