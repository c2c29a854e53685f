"""What a step works with: deploy, checkout, processes, its log, and two ways to end early."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from django.conf import settings

from deployhooks import process
from deployhooks.checkout import Checkout, CheckoutError, Version
from deployhooks.checkout.content import is_content
from deployhooks.gunicorn import Gunicorn
from deployhooks.kept import Kept
from deployhooks.process import ProcessFailed
from deployhooks.redaction import configured_redactor
from deployhooks.requirements import PackagesDiffer
from deployhooks.scratch import Scratch

if TYPE_CHECKING:
    from deployhooks.lease import Lease
    from deployhooks.models import Deploy
    from deployhooks.steplog import StepLog

# Seconds for putting back, beside the deploy's own.
PUT_BACK_TIMEOUT = 180


class StepFailed(Exception):
    """The step could not do its work; the message tells people what, why, and what to do."""


class StepSkipped(Exception):
    """The step has nothing to do; the message is the reason."""


# What a step can end with that is no mistake of ours: its message is the deploy's error.
FAILURES = (StepFailed, ProcessFailed, CheckoutError, PackagesDiffer)


class Context:
    """One run of a deploy; the steps pass on through it what they found out.

    `before` is the version that was checked out when the deploy began (also when a later attempt
    takes it up), `target` the one that it goes to, known after the step fetch.
    """

    def __init__(self, deploy: Deploy, lease: Lease) -> None:
        self.deploy = deploy
        self.lease = lease
        self.deadline: float = time.monotonic() + settings.DEPLOY_TIMEOUT
        self.checkout = Checkout(
            settings.DEPLOY_CHECKOUT, settings.DEPLOY_REMOTE, settings.DEPLOY_BRANCH, self.run
        )
        self.master = Gunicorn(settings.RUN_DIR).find_master()  # when the deploy began
        self.before = Version("", {})
        self.target = Version("", {})
        self.scratch = Scratch(self.checkout, self.run)
        self.kept = Kept(settings.DATA_DIR / "kept")
        self.stays = ""  # why the site itself does not go to its branch's tip, in words
        self.must_reload = False  # also when every worker seems to run the target
        self.log: StepLog | None = None
        self.notes: list[str] = []  # for the log of the next step

    @property
    def code_changes(self) -> bool:
        """Whether anything of the site itself changes, not only a content submodule."""
        old, new = self.before, self.target
        return old.commit != new.commit or any(
            commit != old.submodules.get(path) and not is_content(self.checkout.path / path)
            for path, commit in new.submodules.items()
        )

    @property
    def has_moved(self) -> bool:
        """Whether this deploy, in this attempt or an earlier one, has moved what is checked out.

        git that is ended while it writes files leaves HEAD where it was. Where an earlier attempt
        came to the step pull, workers may have loaded what it brought.
        """
        earlier = self.deploy.steps.filter(name="pull", attempt__lt=self.deploy.attempt)
        is_elsewhere = self.checkout.is_torn() or self.checkout.version() != self.before
        return is_elsewhere or earlier.exists()

    @contextmanager
    def logging_to(self, log: StepLog) -> Iterator[None]:
        """Send what is written to this log; all of it is in the row at the end."""
        self.log, self.lease.store_log = log, log.store_now_and_then
        while self.notes:
            self.write(f"{self.notes.pop(0)}\n")
        try:
            yield
        finally:
            log.store()

    def shield(self) -> None:
        """From now on neither cancel nor the spent deadline ends the work, it is put back."""
        self.lease.is_shielded = True
        self.deadline = time.monotonic() + PUT_BACK_TIMEOUT

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Let what is run meanwhile end after this time, though the deploy's own is not over."""
        whole = self.deadline
        self.deadline = min(whole, time.monotonic() + seconds)
        try:
            yield
        finally:
            self.deadline = whole

    def time_left(self) -> float:
        """Seconds until the deadline, at least one."""
        return max(self.deadline - time.monotonic(), 1.0)

    def write(self, text: str) -> None:
        """Add to the step's output, without secrets."""
        self._append(configured_redactor().clean(text))

    def _append(self, text: str) -> None:
        if self.log:
            self.log.write(text)

    def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        check: bool = True,
    ) -> process.Finished:
        """Run a process, its output streamed into the step.

        `timeout` (seconds) is cut to what is left of the deploy's deadline. Raises
        process.ProcessFailed (when `check`), process.ProcessTimedOut, and what
        `stop_if_cancelled` raises.
        """
        self.stop_if_cancelled()
        left = self.time_left()
        try:
            return process.run(
                args,
                cwd=cwd or settings.DEPLOY_CHECKOUT,
                env=env,
                timeout=min(timeout or left, left),
                check=check,
                on_output=self._append,  # a process's output is clean already
                on_start=self.lease.add_process_group,
                on_end=self.lease.remove_process_group,
            )
        finally:
            self.stop_if_cancelled()

    def stop_if_cancelled(self) -> None:
        """Raise Cancelled when somebody asked for it, LeaseLost when another process took over."""
        self.lease.check()

    def skip(self, reason: str) -> NoReturn:
        raise StepSkipped(reason)

    def fail(self, message: str) -> NoReturn:
        raise StepFailed(message)
