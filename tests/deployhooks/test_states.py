"""Whatever order deliveries, claims, crashes, cancels and re-runs come in, no delivery is lost."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django_q.models import OrmQ
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from deployhooks import control, lease, queue, reception, recovery, watch
from deployhooks.decisions import Decision
from deployhooks.models import Delivery, Deploy, Freeze, Step
from deployhooks.payloads import Payload
from deployhooks.signatures import Signed

pytestmark = pytest.mark.django_db
Status = Deploy.Status
ANY = st.integers(0, 10_000)


def receive(guid: str) -> reception.Verdict:
    payload = Payload(text="{}", ref="refs/heads/main", after="a" * 40, full_name="acme/site")
    signed = Signed(algorithm="sha256", secret_number=1)
    return reception.receive(reception.Received("1", guid, "push", payload, signed, {}, None))


class Deploys(RuleBasedStateMachine):
    """One host's rows; the running deploy is this process's, or one's that is dead by now."""

    def __init__(self) -> None:
        super().__init__()
        for model in (OrmQ, Freeze, Step, Deploy, Delivery):
            model.objects.all().delete()
        self.final: dict[int, str] = {}
        self.guids: list[str] = []

    def running(self) -> Deploy | None:
        return Deploy.objects.running().first()

    def chosen(self, number: int) -> Deploy | None:
        deploys = list(Deploy.objects.order_by("pk"))
        return deploys[number % len(deploys)] if deploys else None

    # --- what GitHub does ------------------------------------------------------------------

    @rule()
    def push(self):
        guid = f"guid-{len(self.guids)}"
        assert receive(guid).outcome in ("queued", "held")
        self.guids.append(guid)

    @precondition(lambda self: self.guids)
    @rule(number=ANY)
    def redeliver(self, number):
        verdict = receive(self.guids[number % len(self.guids)])
        assert verdict.outcome in ("queued", "held", "duplicate")
        if verdict.outcome == "duplicate":
            status = Deploy.objects.get(pk=verdict.deploy).status
            assert status in (Status.QUEUED, Status.RUNNING, Status.SUCCEEDED)

    # --- what the queue does, also too often -------------------------------------------------

    @rule(number=ANY)
    def claim(self, number):
        # Mostly the one that waits, as the queue does.
        deploy = self.chosen(number) if number % 3 == 0 else Deploy.objects.queued().first()
        if deploy is None:
            return
        Deploy.objects.update(not_before=None)
        is_free = deploy.status == Status.QUEUED and not self.running()
        try:
            with transaction.atomic():
                claimed = lease.claim(deploy.pk)
        except IntegrityError:
            assert not is_free
            return
        assert bool(claimed) == is_free
        if claimed:
            Step.objects.create(deploy=claimed, attempt=claimed.attempt, position=1, name="fetch")

    @precondition(lambda self: self.running())
    @rule(how=st.sampled_from(["succeed", "fail", "cancel"]))
    def end(self, how):
        deploy = self.running()
        is_closed = {
            "succeed": deploy.succeed,
            "fail": lambda: deploy.fail("no"),
            "cancel": deploy.cancel,
        }[how]()
        assert is_closed or (how == "succeed" and deploy.cancel_requested_at)

    @precondition(lambda self: self.running())
    @rule(number=ANY)
    def hand_on_what_no_remote_has(self, number):
        served = list(self.running().deliveries.all())
        queue.hand_on(self.running(), served[: number % (len(served) + 1)])

    @precondition(lambda self: self.running() and not recovery.is_only_put_back(self.running()))
    @rule()
    def move(self):
        deploy = self.running()
        position = deploy.steps.filter(attempt=deploy.attempt).count() + 1
        Step.objects.create(deploy=deploy, attempt=deploy.attempt, position=position, name="pull")

    @precondition(lambda self: self.running())
    @rule()
    def crash(self):
        late = self.running()
        Deploy.objects.filter(pk=late.pk).update(pid_started_at=1.0)
        watch.Watch().look()
        assert not late.succeed(), "one that was given to another may not write"
        assert not late.steps.filter(status="running").exists()
        late.refresh_from_db()
        waiting = Deploy.objects.queued().first()
        last_words = ("It was the last attempt", "Putting back failed")
        is_over = late.status == Status.CANCELLED or any(one in late.error for one in last_words)
        assert is_over or set(late.deliveries.all()) <= set(waiting.deliveries.all())

    @precondition(lambda self: self.running())
    @rule()
    def lose_the_database(self):
        recovery.return_to_queue(self.running(), "The database failed.")

    @precondition(lambda self: self.running())
    @rule()
    def stop_in_order(self):
        stopped = self.running()
        recovery.return_to_queue(stopped, "The server was stopped.", is_stop=True)
        stopped.refresh_from_db()
        assert stopped.status == Status.QUEUED or Deploy.objects.queued().exists()

    @rule()
    def lose_the_queues_rows(self):
        OrmQ.objects.all().delete()

    # --- what people do ------------------------------------------------------------------------

    @rule(number=ANY)
    def cancel(self, number):
        if deploy := self.chosen(number):
            try:
                control.cancel(deploy, "ada")
            except control.Refused:
                assert deploy.is_final

    @rule(number=ANY)
    def rerun(self, number):
        if (deploy := self.chosen(number)) and deploy.is_final:
            new = queue.rerun(deploy)
            assert new.status == Status.QUEUED
            assert set(deploy.deliveries.all()) <= set(new.deliveries.all())

    @rule()
    def freeze(self):
        control.freeze("a talk")
        assert not Deploy.objects.queued().exists()

    @rule()
    def thaw(self):
        control.thaw()
        assert not Delivery.objects.filter(outcome="held").exists()

    # --- what must hold ------------------------------------------------------------------------

    @invariant()
    def at_most_one_waits_and_one_runs(self):
        assert Deploy.objects.queued().count() <= 1
        assert Deploy.objects.running().count() <= 1

    @invariant()
    def nothing_dies_more_than_three_times_and_only_what_moved_is_put_back_after(self):
        late = Deploy.objects.filter(attempt__gt=F("stops") + recovery.MAX_ATTEMPTS)
        assert not late.filter(attempt__gt=F("stops") + recovery.MAX_ATTEMPTS + 1).exists()
        for deploy in late:
            assert deploy.steps.filter(name="pull", attempt__lt=deploy.attempt).exists()

    @invariant()
    def what_moved_is_never_left_after_the_third_attempt(self):
        for deploy in Deploy.objects.filter(error__contains="It was the last attempt"):
            assert not deploy.steps.filter(name="pull").exists()

    @invariant()
    def what_is_final_stays_so_and_says_why(self):
        for deploy in Deploy.objects.all():
            if deploy.pk in self.final:
                assert deploy.status == self.final[deploy.pk]
            elif deploy.is_final:
                self.final[deploy.pk] = deploy.status
                assert deploy.finished_at
                assert deploy.error or deploy.status == Status.SUCCEEDED

    @invariant()
    def a_cancel_that_was_accepted_is_kept(self):
        assert not Deploy.objects.filter(
            status=Status.SUCCEEDED, cancel_requested_at__isnull=False
        ).exists()

    @invariant()
    def every_delivery_is_held_or_served(self):
        assert Delivery.objects.count() == len(self.guids)
        for delivery in Delivery.objects.all():
            assert delivery.newest_deploy() or delivery.outcome == "held"

    def teardown(self):
        """Left alone, everything comes to an end."""
        control.thaw()
        rounds = watch.Watch()
        for _ in range(20):
            Deploy.objects.update(pid_started_at=1.0, not_before=None)
            long_ago = timezone.now() - 2 * watch.LONGEST_WAIT
            Deploy.objects.queued().update(queued_at=long_ago)
            rounds.due_at.clear()
            rounds.reminded.clear()
            rounds.look()
            if not (waiting := Deploy.objects.queued().first()):
                break
            if not OrmQ.objects.exists():
                continue  # it was returned in this very round; the queue is told in the next
            if claimed := lease.claim(waiting.pk):
                assert claimed.succeed() or claimed.cancel()
        assert not Deploy.objects.filter(status__in=[Status.QUEUED, Status.RUNNING]).exists()


def test_no_order_of_events_loses_a_delivery_or_runs_two_deploys(monkeypatch):
    decision = Decision(Delivery.Outcome.QUEUED, "A push.")
    monkeypatch.setattr(reception, "decide", lambda *args: decision)
    run_state_machine_as_test(
        Deploys,
        settings=hypothesis_settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
        ),
    )
