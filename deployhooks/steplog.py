"""Keeps a step's output in its row while it is written: head and tail, a few writes a second."""

from __future__ import annotations

import threading
import time

from deployhooks.models import Step
from deployhooks.transactions import unsynced_transaction

HEAD = TAIL = 128 * 1024
# Seconds between two writes to the database.
PAUSE = 0.5


class StepLog:
    """Output of one step; safe to use from the deploy's thread and the lease's at once."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.head = step.output
        self.tail = ""
        self.dropped = 0
        self.is_stored = True
        self.stored_at = 0.0
        self.lock = threading.Lock()

    def write(self, text: str) -> None:
        """Add text; it reaches the row within the lease's next beat."""
        text = text.replace("\x00", "\ufffd")
        with self.lock:
            room = HEAD - len(self.head)
            self.head += text[:room] if room > 0 else ""
            self.tail += text[max(room, 0) :]
            if len(self.tail) > 2 * TAIL:
                self._cut_tail()
            self.is_stored = self.is_stored and not text

    def store_now_and_then(self) -> None:
        """Write what is new to the row, unless that was done a moment ago."""
        if time.monotonic() - self.stored_at >= PAUSE:
            self.store()

    def store(self) -> None:
        """Write what is new to the row."""
        with self.lock:
            if self.is_stored:
                return
            self._cut_tail()
            output, self.is_stored = self.text, True
        self.stored_at = time.monotonic()
        with unsynced_transaction():
            Step.objects.filter(pk=self.step.pk).update(output=output)

    @property
    def text(self) -> str:
        if not self.dropped:
            return self.head + self.tail
        return f"{self.head}\n... {self.dropped} characters left out ...\n{self.tail}"

    def _cut_tail(self) -> None:
        too_many = len(self.tail) - TAIL
        if too_many > 0:
            self.dropped += too_many
            self.tail = self.tail[too_many:]
