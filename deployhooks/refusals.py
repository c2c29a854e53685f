"""Turns requests away, and keeps the newest refusals so that "nothing deploys" can be explained."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Mapping

import django.db
from django.db import connection

from deployhooks.models import Refusal
from deployhooks.payloads import storable
from deployhooks.transactions import impatient_transaction

logger = logging.getLogger(__name__)

LOCK_WAIT = 1.0
DATABASE_AWAY = 503


class Refused(Exception):
    """The request gets this answer and has no other effect; `reason` is for people."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers or {}


class FloodGate:
    """A token bucket of this process: `burst` rows at once, then `per_second`.

    Whoever finds it empty is counted, and the count is handed to the next who passes.
    """

    def __init__(
        self, burst: int, per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._per_second, self._clock = burst, per_second, clock
        self._tokens, self._filled_at = float(burst), clock()
        self._turned_away: tuple[int, Refusal | None] = 0, None
        self._lock = threading.Lock()

    def enter(self, refusal: Refusal) -> bool:
        """Whether it may be written, then with the number of those turned away before."""
        with self._lock:
            now = self._clock()
            gained = (now - self._filled_at) * self._per_second
            self._tokens, self._filled_at = min(self._burst, self._tokens + gained), now
            count, _ = self._turned_away
            if self._tokens < 1:
                self._turned_away = count + 1, refusal
                return False
            self._tokens -= 1
            refusal.unrecorded, self._turned_away = count, (0, None)
            return True

    def give_back(self, refusal: Refusal) -> None:
        """Count one who passed in vain, and those whose count it carried."""
        with self._lock:
            count, newest = self._turned_away
            self._turned_away = count + refusal.unrecorded + 1, newest or refusal

    def empty(self) -> Refusal | None:
        """Return the newest who was turned away, with the number of the others."""
        with self._lock:
            count, newest = self._turned_away
            self._turned_away = 0, None
        if newest:
            newest.unrecorded = count - 1
        return newest


gate = FloodGate(burst=Refusal.KEPT, per_second=2)


def keep_refusal(refused: Refused, address: str | None, headers: Mapping[str, str]) -> None:
    """Write a refusal down, unless they come in a flood; never raises for the database's sake."""
    refusal = Refusal(
        status=refused.status,
        reason=storable(refused.reason, 1000),
        remote_address=address,
        headers=dict(headers),
    )
    if not gate.enter(refusal):
        return
    guid = headers.get("X-Github-Delivery", "without GUID")
    logger.warning("delivery %a refused with %s: %s", guid, refused.status, refused.reason)
    if refused.status == DATABASE_AWAY and connection.connection is None:
        gate.give_back(refusal)  # to try once more would cost more time than GitHub has
        return
    try:
        _write(refusal)
    except django.db.Error as error:
        gate.give_back(refusal)
        logger.error("the refusal could not be written down: %s", error)


@atexit.register
def keep_the_rest() -> None:
    """Before a worker ends, as at each reload, write down how many it has only counted."""
    if refusal := gate.empty():
        try:
            _write(refusal)
        except django.db.Error as error:
            logger.error("%s refusals could not be written down: %s", refusal.unrecorded + 1, error)


def _write(refusal: Refusal) -> None:
    with impatient_transaction(LOCK_WAIT):
        refusal.pk = None  # it has one when an earlier try was rolled back
        refusal.save(force_insert=True)
        too_old = Refusal.objects.order_by("-id").values_list("id", flat=True)[Refusal.KEPT :]
        if oldest := too_old.first():
            Refusal.objects.filter(id__lte=oldest).delete()
