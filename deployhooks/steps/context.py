"""What a step works with: the deploy, the checkout, processes, its log, and two ways to end early."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, NoReturn

from django.conf import settings

from deployhooks import process
from deployhooks.checkout import Checkout, Version

if TYPE_CHECKING:
    from deployhooks.lease import Lease
    from deployhooks.models import Deploy
    from deployhooks.steplog import StepLog


class StepFailed(Exception):
    """The step could not do its work; the message tells people what, why, and what to do."""


class StepSkipped(Exception):
    """The step has nothing to do; the message is the reason."""


class Cancelled(Exception):
    """Somebody asked for the end of this deploy."""


class Context:
    """One run of a deploy; the steps pass on through it what they found out.

    `before` is the version that was checked out when the deploy began (also when a later attempt
    takes it up), `target` the one that it goes to, known after the step fetch.
    """

    def __init__(self, deploy: Deploy, lease: Lease) -> None:
        self.deploy = deploy
        self.lease = lease
        self.deadline = time.monotonic() + settings.DEPLOY_TIMEOUT
        self.checkout = Checkout(
            settings.DEPLOY_CHECKOUT, settings.DEPLOY_REMOTE, settings.DEPLOY_BRANCH, self.run
        )
        self.before = Version("", {})
        self.target = Version("", {})
        self.log: StepLog | None = None
        self.notes: list[str] = []
        self.is_putting_back = Event()

    @property
    def code_changes(self) -> bool:
        """Whether anything of the site itself changes, not only a content submodule."""
        return self.target.commit != self.before.commit

    def write(self, text: str) -> None:
        """Add to the step's output."""
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
        process.ProcessFailed (when `check`), process.ProcessTimedOut, Cancelled.
        """
        self.stop_if_cancelled()
        left = max(self.deadline - time.monotonic(), 1.0)
        try:
            return process.run(
                args,
                cwd=cwd or settings.DEPLOY_CHECKOUT,
                env=env,
                timeout=min(timeout or left, left),
                check=check,
                on_output=self.write,
                on_start=self.lease.add_process_group,
                on_end=self.lease.remove_process_group,
            )
        finally:
            self.stop_if_cancelled()

    def stop_if_cancelled(self) -> None:
        """Raise Cancelled when somebody asked for it or the lease is lost; not while putting back."""
        if not self.is_putting_back.is_set():
            self.lease.check()

    def skip(self, reason: str) -> NoReturn:
        raise StepSkipped(reason)

    def fail(self, message: str) -> NoReturn:
        raise StepFailed(message)
