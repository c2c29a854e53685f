"""The pages that say why there is no page."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.template import loader
from django.test import Client

from tests.deployhooks.rows import make_staff

NAMES = ("400", "403", "403_csrf", "429", "500", "503")


@pytest.mark.parametrize("name", NAMES)
def test_each_is_styled_says_what_to_do_and_asks_the_database_nothing(name: str):
    page = loader.render_to_string(f"{name}.html")
    sheet = re.search(r'stylesheet" href="/static/([^"]+)"', page)[1]
    assert "color" in Path(finders.find(sheet)).read_text()
    title, heading = (re.search(f"<{tag}>(.+)</{tag}>", page)[1] for tag in ("title", "h1"))
    assert title == heading
    assert page.count("<p>") == 2
    assert "style=" not in page


@pytest.mark.django_db
def test_who_lacks_a_permission_is_told_whom_to_ask(client: Client):
    client.force_login(make_staff())
    answer = client.get("/admin/deployhooks/deploy/")
    assert answer.status_code == 403
    assert "ask whoever runs this site" in answer.text


@pytest.mark.django_db
def test_a_form_without_its_token_is_told_to_be_sent_again():
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "eve"})
    assert answer.status_code == 403
    assert "send the form once more" in answer.text
