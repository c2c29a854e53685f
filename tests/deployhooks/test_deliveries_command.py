import json
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from deployhooks.models import Delivery, Deploy
from tests.deployhooks.hooks import TIP, make_push, send, use_site

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings, tmp_path: Path) -> Path:
    return use_site(settings, tmp_path)


def list_deliveries(*args: str) -> str:
    out = StringIO()
    call_command("deliveries", *args, stdout=out)
    return out.getvalue()


def test_json_has_the_fields_that_programs_rely_on():
    deploy = send(X_GitHub_Delivery="g-1").json()["deploy"]

    [delivery] = json.loads(list_deliveries("--json"))

    received_at = delivery.pop("received_at")
    assert datetime.fromisoformat(received_at).tzinfo
    assert delivery == {
        "guid": "g-1",
        "hook_id": "109948940",
        "event": "push",
        "repository": "acme/site",
        "ref": "refs/heads/main",
        "after": TIP,
        "outcome": "queued",
        "reason": "Push to refs/heads/main of acme/site, the site.",
        "times_received": 1,
        "deploy": deploy,
    }


def test_the_newest_come_first_and_no_more_than_asked_for():
    for number in range(4):
        send({}, X_GitHub_Event="ping", X_GitHub_Delivery=f"g-{number}")

    shown = json.loads(list_deliveries("--json", "--limit", "2"))

    assert [delivery["guid"] for delivery in shown] == ["g-3", "g-2"]
    assert [(delivery["deploy"], delivery["after"]) for delivery in shown] == [(None, None)] * 2
    with pytest.raises(CommandError):
        list_deliveries("--limit", "0")


def test_its_deploy_is_the_newest():
    Deploy.objects.filter(pk=send(X_GitHub_Delivery="g-1").json()["deploy"]).update(status="failed")
    newest = send(X_GitHub_Delivery="g-1").json()["deploy"]

    [delivery] = json.loads(list_deliveries("--json"))

    assert (delivery["deploy"], delivery["times_received"]) == (newest, 2)


def test_people_see_one_line_for_each_that_cannot_steer_their_terminal():
    send(make_push(ref="refs/heads/\x1b[31mred\nline"), X_GitHub_Delivery="g-1")
    send({}, X_GitHub_Event="ping")

    heading, ping, push = list_deliveries().splitlines()

    assert heading.split()[:2] == ["RECEIVED", "EVENT"]
    assert "pong" in ping
    assert "refs/heads/red" in push
    assert "ignored" in push


def test_without_any_it_says_so():
    assert "no delivery yet" in list_deliveries()
    assert json.loads(list_deliveries("--json")) == []


def test_a_long_list_takes_one_query_and_leaves_payloads_alone(django_assert_num_queries):
    Delivery.objects.bulk_create(Delivery(guid=f"g-{n}", event="push") for n in range(50))

    with django_assert_num_queries(1) as queries:
        list_deliveries("--limit", "50")
    assert '"payload"' not in queries[0]["sql"]
