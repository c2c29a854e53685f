"""Follows a deploy's log to its end, for the commands' `--wait`."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep

from deployhooks.explanations import explain_wait, find_trouble
from deployhooks.models import Deploy, Step
from deployhooks.wording import clean_controls, measure, say_duration

POLL = 0.3
# Seconds until a wait is explained, and until the same explanation is given again.
PATIENCE = 5
REMINDER = 60
MARKS = {
    Step.Status.SUCCEEDED: "ok",
    Step.Status.FAILED: "FAILED",
    Step.Status.SKIPPED: "skipped",
}

Write = Callable[[str], None]


def follow(deploy_id: int, write: Write) -> Deploy:
    """Write the deploy's steps and output as they come; return it when it is final.

    It waits as long as the deploy does, and says why when nothing happens for some seconds.
    """
    follower = _Follower(write)
    while True:
        # First the deploy, then its steps: once it is final, so are the steps read after it.
        deploy = Deploy.objects.get(pk=deploy_id)
        follower.look(deploy)
        if deploy.is_final:
            return deploy
        sleep(POLL)


class _Follower:
    def __init__(self, write: Write) -> None:
        self.write = write
        self.status = ""
        self.outputs: dict[int, str] = {}
        self.closed: set[int] = set()
        self.at_line_start = True
        self.explained = ""
        self.explain_at = monotonic() + PATIENCE

    def look(self, deploy: Deploy) -> None:
        if deploy.status != self.status and not deploy.is_final:
            attempt = f" (attempt {deploy.attempt})" if deploy.attempt > 1 else ""
            self._line(f"Deploy {deploy.pk} is {deploy.status}{attempt}.")
        self.status = deploy.status
        for step in deploy.steps.exclude(pk__in=self.closed):
            self._show(step)
        self._explain_silence(deploy)
        if deploy.status == Deploy.Status.SUCCEEDED:
            self._line(f"Deploy {deploy.pk} succeeded.")

    def _show(self, step: Step) -> None:
        if step.pk not in self.outputs:
            self.outputs[step.pk] = ""
            self._line(f"--> {step.name}")
        self._print(clean_controls(new_part(self.outputs[step.pk], step.output)))
        self.outputs[step.pk] = step.output
        if step.status == Step.Status.RUNNING:
            return
        self.closed.add(step.pk)
        took = say_duration(measure(step) or 0)
        detail = f": {clean_controls(step.detail)}" if step.detail else ""
        self._line(f"    {MARKS[Step.Status(step.status)]} after {took}{detail}")

    def _explain_silence(self, deploy: Deploy) -> None:
        """Say why nothing happens: once for each reason, and again every minute."""
        is_queued = deploy.status == Deploy.Status.QUEUED
        reason = explain_wait(deploy) if is_queued else find_trouble(deploy)
        now = monotonic()
        is_due = now >= self.explain_at or (self.explained and reason != self.explained)
        if reason and is_due:
            self.explained, self.explain_at = reason, now + REMINDER
            self._line(f"... {reason}")

    def _print(self, text: str) -> None:
        if text:
            self.write(text)
            self.at_line_start = text.endswith("\n")

    def _line(self, text: str) -> None:
        self._print(("" if self.at_line_start else "\n") + text + "\n")


def new_part(seen: str, output: str) -> str:
    """What came to a step's output since `seen`.

    Long outputs lose their middle, so what was seen may stand in it no more: then we go on behind
    the last piece of it that is there, and say that something is missing where none is.
    """
    if output.startswith(seen):
        return output[len(seen) :]
    last_piece = seen[-200:]
    place = output.rfind(last_piece)
    if place >= 0:
        return output[place + len(last_piece) :]
    return "\n[some output was left out here]\n" + output[-4000:]
