"""A step's output in its row."""

import pytest

from deployhooks.models import Deploy, Step
from deployhooks.steplog import HEAD, TAIL, StepLog


def make_log() -> StepLog:
    deploy = Deploy.objects.create(trigger="push", host="here")
    return StepLog(Step.objects.create(deploy=deploy, position=1, name="fetch"))


def stored(log: StepLog) -> str:
    return Step.objects.get(pk=log.step.pk).output


@pytest.mark.django_db
def test_short_output_is_kept_whole():
    log = make_log()
    log.write("one\n")
    log.write("two\n")
    log.store()
    assert stored(log) == "one\ntwo\n"


@pytest.mark.django_db
def test_of_long_output_head_and_tail_are_kept_and_what_is_missing_is_counted():
    log = make_log()
    log.write("H" * HEAD)
    for _ in range(100):
        log.write("m" * 10_000)
    log.write("T" * TAIL)
    log.store()
    text = stored(log)
    assert text.startswith("H" * HEAD)
    assert text.endswith("T" * TAIL)
    assert "1000000 characters left out" in text
    assert len(text) < HEAD + TAIL + 100


@pytest.mark.django_db
def test_what_was_just_stored_is_not_stored_again_at_once():
    log = make_log()
    log.write("a")
    log.store_now_and_then()
    log.write("b")
    log.store_now_and_then()
    assert stored(log) == "a"
    log.store()
    assert stored(log) == "ab"


@pytest.mark.django_db
def test_nul_characters_are_replaced():
    log = make_log()
    log.write("a\x00b")
    log.store()
    assert stored(log) == "a\ufffdb"
