"""Tries again what fails by a fault that passes by itself, for a while and within the deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings

from deployhooks.checkout import CheckoutError
from deployhooks.checkout.faults import describe, fault_of
from deployhooks.process import ProcessFailed, ProcessTimedOut
from deployhooks.steps.context import Context

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)  # seconds; the last one again and again
SHARE = 0.75  # of what is left of the deploy's deadline; the rest is for the steps after
HANGING_TRIES = 3  # that fit into that share: none of them may take more than its part
LOOK = 0.25  # seconds between two looks whether the deploy was cancelled

Result = TypeVar("Result")


class Patience:
    """DEPLOY_RETRY seconds for all tries of one step together."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._began = time.monotonic()
        self._pauses = 0
        share = SHARE * max(context.deadline - self._began, 0)
        self._limit = share / HANGING_TRIES
        self._ends = self._began + min(settings.DEPLOY_RETRY, share)
        # A remote that takes the connection and never answers may use up DEPLOY_RETRY in one try.
        self._ends_hanging = self._began + share if settings.DEPLOY_RETRY else self._began

    @property
    def waited(self) -> str:
        """How long and how often it was tried, in words."""
        seconds = time.monotonic() - self._began
        return f"{self._pauses + 1} tries in {seconds:.0f} s" if self._pauses else "1 try"

    def keep_trying(self, tried: str, attempt: Callable[[], Result]) -> Result:
        """Raises CheckoutError for a fault that stays, or when the time is over."""
        while True:
            try:
                with self._context.limited(self._limit):
                    return attempt()
            except ProcessFailed as error:
                passes, hung = fault_of(error).passes, isinstance(error, ProcessTimedOut)
                why = error.what if hung else fault_of(error).name
                if not passes or not self.pause(f"{tried} failed ({why})", hung=hung):
                    tries = f"{tried} ({self.waited})" if passes else tried
                    raise CheckoutError(describe(error, tries)) from error

    def pause(self, why: str, *, hung: bool = False) -> bool:
        """Wait for the next try, longer each time; False at once when the time is over."""
        left = (self._ends_hanging if hung else self._ends) - time.monotonic()
        if left <= 0:
            return False
        seconds = min(PAUSES[min(self._pauses, len(PAUSES) - 1)], left)
        self._pauses += 1
        self._context.write(f"{why}; trying again in {seconds:.0f} s (try {self._pauses + 1})\n")
        self._sleep(seconds)
        return True

    def _sleep(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self._context.stop_if_cancelled()
            time.sleep(min(LOOK, left))
