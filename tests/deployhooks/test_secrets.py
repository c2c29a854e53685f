"""No secret reaches a row, a page, a command's output, a log or a report of an error."""

import contextlib
import io
import json
import logging
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core import mail
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.utils.log import AdminEmailHandler

from deployhooks import deployer, drift
from deployhooks.redaction import CleanFormatter
from tests.deployhooks import fake_steps
from tests.deployhooks import repositories as repos
from tests.deployhooks.rows import make_deploy

pytestmark = pytest.mark.django_db(transaction=True)
SECRETS = {
    "webhook": "hook-secret-7281",
    "django": "django-key-3912",
    "database": "pg-p@ss/5512",
    "token": "url-token-9941",
    "environment": "mail-token-1717",
}
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----"
ALL = [*SECRETS.values(), "pg-p%40ss%2F5512", "b3BlbnNzaC1rZXk"]
URLS = [
    f"postgres://blog:{SECRETS['database']}@db.example.org/blog",
    "postgres://blog:pg-p%40ss%2F5512@db.example.org/blog",
    f"https://{SECRETS['token']}@example.org/site.git",
]
KNOWN = [SECRETS[name] for name in ("webhook", "django", "database", "environment")]
TOLD = "\n".join([*KNOWN, *URLS, KEY])


@pytest.fixture
def site(tmp_path: Path, settings, monkeypatch) -> Path:
    """A checkout whose remote has a token in its address, and does not answer."""
    settings.GITHUB_WEBHOOK_SECRET = SECRETS["webhook"]
    settings.SECRET_KEY = SECRETS["django"]
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", SECRETS["database"])
    monkeypatch.setenv("MAIL_API_TOKEN", SECRETS["environment"])
    remote = repos.make_remote(tmp_path / "site.git", {"manage.py": ""})
    settings.DEPLOY_CHECKOUT = repos.clone(remote, tmp_path / "checkout")
    address = f"http://ada:{SECRETS['token']}@127.0.0.1:9/site.git"
    repos.git("remote", "set-url", "origin", address, cwd=settings.DEPLOY_CHECKOUT)
    settings.DEPLOY_RETRY = 0
    fake_steps.behaviour.clear()
    return settings.DEPLOY_CHECKOUT


def tell(context) -> None:
    """What a careless step may do: print it, write it, fail with it."""
    context.run([sys.executable, "-c", f"print({TOLD!r})"])
    context.write(TOLD)
    raise RuntimeError(TOLD)


def find_secrets(text: str) -> list[str]:
    return [secret for secret in ALL if secret in text]


def read_rows() -> str:
    models = [
        m for name in ("deployhooks", "django_q") for m in apps.get_app_config(name).get_models()
    ]
    return repr([list(model.objects.values()) for model in models])


def test_they_are_in_no_row_page_or_log(site, settings, admin_client):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(CleanFormatter())
    logging.getLogger().addHandler(handler)
    try:
        fake_steps.behaviour["index"] = tell
        for steps in (["deployhooks.steps.fetch.fetch"], ["tests.deployhooks.fake_steps.index"]):
            settings.DEPLOY_STEPS = steps
            deploy = make_deploy(status="queued", from_commit="", to_commit="")
            try:
                deployer.run_deploy(deploy.pk)
            except RuntimeError:
                logging.getLogger("django-q").exception("the queue says it as well")
        drift.Drift().look()
    finally:
        logging.getLogger().removeHandler(handler)
    deploy.refresh_from_db()
    assert "error of blogsite itself" in deploy.error
    shown = [read_rows(), stream.getvalue()]
    for command in (["deploys", "--json"], ["deliveries", "--json"], ["doctor"]):
        printed = io.StringIO()
        with contextlib.suppress(SystemExit):
            call_command(*command, stdout=printed)
        shown.append(printed.getvalue())
    for page in ("", "deployhooks/deploy/", f"deployhooks/deploy/{deploy.pk}/change/"):
        shown.append(admin_client.get(f"/admin/{page}").text)
    shown.append(admin_client.get(f"/admin/deployhooks/deploy/{deploy.pk}/log/").text)
    assert "[removed]" in json.dumps(shown)
    assert [find_secrets(text) for text in shown] == [[]] * len(shown)


def test_they_are_in_no_report_of_an_error(site, settings):
    settings.ADMINS = [("Ada", "ada@example.org")]
    settings.DEBUG = False
    handler = AdminEmailHandler(include_html=True)
    request = RequestFactory().get("/", headers={"authorization": "Bearer x"})
    told = {"a frame's own": KNOWN}
    try:
        raise RuntimeError(f"cannot use {URLS} with {told}")
    except RuntimeError:
        record = logging.LogRecord(
            "django.request", logging.ERROR, __file__, 1, "Error: %s", ("/",), sys.exc_info()
        )
    record.request = request
    handler.emit(record)
    (sent,) = mail.outbox
    (html, _), *_ = sent.alternatives
    assert "RuntimeError" in sent.body
    assert "told" in html
    assert find_secrets(sent.body + sent.subject) == find_secrets(html) == []


def test_they_are_on_no_page_of_an_error(site, monkeypatch):
    def fail(*args: object) -> None:
        raise RuntimeError(TOLD)

    monkeypatch.setattr("blogsite.views.describe_process", fail)
    answer = Client(raise_request_exception=False).get("/healthz")
    assert answer.status_code == 500
    assert find_secrets(answer.text) == []
    assert "Traceback" not in answer.text
