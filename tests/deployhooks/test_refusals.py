"""Refusals are kept, but neither their number nor their size is left to strangers."""

import logging
import threading
from pathlib import Path

import pytest
from django.db import OperationalError

from deployhooks import refusals
from deployhooks.models import Refusal
from deployhooks.refusals import FloodGate, Refused, keep_refusal
from tests.deployhooks.hooks import SECRET, send, use_site

pytestmark = pytest.mark.django_db


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> Clock:
    """A clock that stands still, and a gate of the test's own."""
    clock = Clock()
    monkeypatch.setattr(refusals, "gate", FloodGate(Refusal.KEPT, 2, clock))
    return clock


def keep(reason: str = "wrong signature") -> None:
    keep_refusal(Refused(403, reason), "203.0.113.7", {"User-Agent": "curl"})


def test_a_refusal_keeps_what_explains_it(settings, tmp_path: Path):
    use_site(settings, tmp_path)
    response = send(
        X_Hub_Signature_256="sha256=0",
        Authorization="Bearer abc",
        Cookie="sessionid=abc",
        X_Api_Key="abc",
        X_Other="é" * 2000,
    )

    refusal = Refusal.objects.get()
    assert (refusal.status, refusal.reason) == (403, response.json()["reason"])
    assert refusal.remote_address == "127.0.0.1"
    assert refusal.headers["X-Github-Event"] == "push"
    assert refusal.headers["X-Other"] == "é" * 500
    kept = {name.lower() for name in refusal.headers}
    assert not kept & {"authorization", "cookie", "x-api-key", "x-hub-signature"}
    assert not any("signature" in name for name in kept)
    assert refusal.unrecorded == 0


def test_only_the_newest_refusals_are_kept(clock: Clock):
    for number in range(Refusal.KEPT + 30):
        clock.now += 1
        keep(f"number {number}")

    kept = list(Refusal.objects.values_list("reason", flat=True))
    assert kept == [f"number {number}" for number in range(229, 29, -1)]


def test_a_flood_is_counted_and_not_written(clock: Clock, django_assert_num_queries):
    for _ in range(Refusal.KEPT):
        keep()
    with django_assert_num_queries(0):
        for _ in range(10_000 - Refusal.KEPT):
            keep()

    assert Refusal.objects.count() == Refusal.KEPT
    clock.now += 1
    keep("after the flood")
    keep("and another")
    after, another = Refusal.objects.order_by("id")[Refusal.KEPT - 2 :]
    assert (after.reason, after.unrecorded) == ("after the flood", 10_000 - Refusal.KEPT)
    assert (another.reason, another.unrecorded) == ("and another", 0)


def test_a_worker_that_ends_writes_down_how_many_it_has_only_counted():
    for number in range(Refusal.KEPT + 30):
        keep(f"number {number}")
    refusals.keep_the_rest()
    refusals.keep_the_rest()

    newest = Refusal.objects.first()
    assert (newest.reason, newest.unrecorded) == ("number 229", 29)
    assert Refusal.objects.count() == Refusal.KEPT


def test_a_flood_of_requests_is_answered_all_the_same(settings, tmp_path: Path):
    use_site(settings, tmp_path)
    statuses = {send(X_Hub_Signature_256="sha256=0").status_code for _ in range(500)}

    assert statuses == {403}
    assert Refusal.objects.count() == Refusal.KEPT


def test_a_flood_fills_no_log(caplog):
    with caplog.at_level(logging.DEBUG, logger="deployhooks"):
        for _ in range(1000):
            keep()

    assert len(caplog.records) == Refusal.KEPT


def test_after_a_flood_two_a_second_are_written(clock: Clock):
    for _ in range(300):
        keep()
    before = Refusal.objects.order_by("-id").first().pk
    for _ in range(40):
        clock.now += 0.25
        keep()

    assert Refusal.objects.filter(pk__gt=before).count() == 20


def test_a_refusal_that_cannot_be_written_changes_no_answer(settings, tmp_path: Path, monkeypatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise OperationalError("database is locked")

    use_site(settings, tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(Refusal, "save", fail)
        for _ in range(3):
            assert send(X_Hub_Signature_256="sha256=0").status_code == 403

    assert not Refusal.objects.exists()
    keep()
    assert Refusal.objects.get().unrecorded == 3


def test_what_was_rolled_back_is_written_when_the_worker_ends(monkeypatch):
    write = Refusal.save

    def write_in_vain(refusal: Refusal, **options: object) -> None:
        write(refusal, **options)
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as full:
        full.setattr(Refusal, "save", write_in_vain)
        keep("in vain")
    Refusal.objects.create(status=413, reason="somebody else's, of the same number")
    refusals.keep_the_rest()
    assert [one.reason for one in Refusal.objects.all()][:1] == ["in vain"]
    assert Refusal.objects.count() == 2


def test_the_log_names_the_reason_and_no_secret(settings, tmp_path: Path, caplog):
    use_site(settings, tmp_path)
    with caplog.at_level(logging.WARNING, logger="deployhooks"):
        send(X_Hub_Signature_256="sha256=0", X_GitHub_Delivery="g-1")

    assert "does not match" in caplog.text
    assert "'g-1'" in caplog.text
    assert SECRET.decode() not in caplog.text
    assert "sha256=" not in caplog.text


def test_no_more_pass_the_gate_than_there_are_tokens():
    gate = FloodGate(100, 0, Clock())
    passed = []

    def rush() -> None:
        passed.extend(gate.enter(Refusal()) for _ in range(100))

    threads = [threading.Thread(target=rush) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(passed) == 100
