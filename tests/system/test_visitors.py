"""What strangers meet: limited sign-in, strict pages, error pages without a word too much."""

import shutil
from collections.abc import Iterator
from unittest.mock import patch

import django.db
import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from playwright.sync_api import Page, sync_playwright

from deployhooks.models import Deploy
from tests.deployhooks.rows import make_delivery, make_deploy, make_step

pytestmark = pytest.mark.django_db(transaction=True)
NASTY = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


def sign_in(password: str, **headers: str):
    form = {"username": "ada", "password": password}
    return Client().post("/admin/login/", form, headers=headers)


@pytest.fixture
def ada():
    return get_user_model().objects.create_superuser("ada", password="right")


def test_the_eleventh_wrong_password_is_told_to_wait(ada):
    assert [sign_in("wrong").status_code for _ in range(9)] == [200] * 9
    answer = sign_in("wrong")
    assert answer.status_code == 429
    assert "Too many wrong passwords came from your address" in answer.content.decode()
    assert sign_in("right").status_code == 429


def test_an_address_that_waits_keeps_nobody_else_waiting(ada):
    for _ in range(12):
        sign_in("wrong", x_forwarded_for="1.2.3.4, 203.0.113.9")
    assert sign_in("right", x_forwarded_for="1.2.3.4, 203.0.113.9").status_code == 429
    assert sign_in("right", x_forwarded_for="203.0.113.9, 203.0.113.10").status_code == 302


def test_a_neighbour_in_the_same_ipv6_network_waits_too(ada):
    for number in range(12):
        sign_in("wrong", x_forwarded_for=f"2001:db8::{number}")
    assert sign_in("right", x_forwarded_for="2001:db8::ffff").status_code == 429
    assert sign_in("right", x_forwarded_for="2001:db8:0:1::1").status_code == 302


def test_a_flood_of_guesses_writes_few_rows_and_keeps_no_password(ada):
    for number in range(60):
        form = {"username": f"name{number}", "password": f"a password {number}"}
        Client().post("/admin/login/", form, headers={"user-agent": f"agent {number}"})
    rows = AccessAttempt.objects.all()
    assert len(rows) <= 10
    assert not any("a password" in row.post_data for row in rows)


def test_a_right_password_forgives_the_wrong_ones(ada):
    for _ in range(9):
        sign_in("wrong")
    assert sign_in("right").status_code == 302
    assert sign_in("wrong").status_code == 200


def test_cookies_are_secure_where_the_site_is(ada, settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    cookies = sign_in("right").cookies
    for name in ("sessionid", "csrftoken"):
        assert cookies[name]["secure"]
        assert cookies[name]["samesite"] == "Lax"
    assert cookies["sessionid"]["httponly"]


def test_staff_without_permission_see_but_cannot_deploy(client):
    user = get_user_model().objects.create_user("eve", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_deploy"))
    client.force_login(user)
    deploy = make_deploy(status="failed")
    page = f"/admin/deployhooks/deploy/{deploy.pk}"
    assert client.get(f"{page}/change/").status_code == 200
    addresses = [f"{page}/{verb}/" for verb in ("rerun", "cancel")] + [
        "/admin/deployhooks/deploy/now/"
    ]
    assert {client.post(address).status_code for address in addresses} == {403}
    assert Deploy.objects.count() == 1


@pytest.mark.parametrize("address", ["/", "/admin/login/", "/healthz", "/nowhere/"])
def test_every_page_forbids_scripts_and_styles_of_others_and_its_own(client, address):
    policy = client.get(address).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy


def crash(error: Exception) -> Client:
    client = Client(raise_request_exception=False)
    with patch("blogsite.views.describe_process", side_effect=error):
        client.answer = client.get("/healthz")
    return client


def test_an_error_is_a_page_without_a_word_about_it(settings):
    secret = settings.SECRET_KEY
    answer = crash(RuntimeError(f"the key is {secret}")).answer
    assert answer.status_code == 500
    assert "written into its log" in answer.content.decode()
    for word in (secret, "RuntimeError", "Traceback", "describe_process"):
        assert word not in answer.content.decode()


def test_a_database_that_is_away_is_a_503_that_asks_for_patience():
    answer = crash(django.db.OperationalError("could not connect to 10.0.0.5")).answer
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert "10.0.0.5" not in answer.content.decode()


def test_no_error_page_asks_the_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert crash(RuntimeError()).answer.status_code == 500


def test_secrets_reach_no_log(settings, capfd):
    import logging

    from deployhooks.redaction import CleanFormatter

    record = logging.LogRecord("x", 40, "f", 1, "key %s", (settings.SECRET_KEY,), None)
    assert CleanFormatter("%(message)s").format(record) == "key [removed]"
    formatter = settings.LOGGING["formatters"]["line"]["()"]
    assert formatter == "deployhooks.redaction.CleanFormatter"


def test_a_form_without_its_token_gets_an_explanation():
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {})
    assert answer.status_code == 403
    assert "from the page that this site has just shown you" in answer.content.decode()


def test_a_host_that_is_not_ours_is_a_plain_400(client):
    answer = Client(raise_request_exception=False).get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "evil" not in answer.content.decode()


@pytest.fixture
def page(live_server, admin_user, client, settings, monkeypatch) -> Iterator[Page]:
    """A signed-in page of Chromium; `page.violations` is what its security policy refused."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on the PATH")
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    client.force_login(admin_user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(base_url=live_server.url)
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        page = context.new_page()
        page.violations = []
        page.on("console", lambda said: page.violations.append(said.text))
        yield page
        browser.close()


def test_no_page_breaks_the_policy_in_a_browser_and_nothing_hostile_runs(page):
    delivery = make_delivery(head_message=NASTY, ref=f"refs/heads/{NASTY}", repository=NASTY)
    deploy = make_deploy([delivery], status="failed", error=NASTY)
    make_step(deploy, "submodules", status="failed", detail=NASTY, output=f"new: {NASTY}.rst\n")
    for address in (
        *("/", "/archive/", "/tags/", "/search/?q=tea", "/admin/"),
        *("/admin/deployhooks/deploy/", "/admin/deployhooks/delivery/", "/admin/posts/post/"),
        *("/admin/deployhooks/refusal/", "/admin/auth/user/", "/admin/auth/user/add/"),
        f"/admin/deployhooks/deploy/{deploy.pk}/change/",
        f"/admin/deployhooks/delivery/{delivery.pk}/change/",
    ):
        answer = page.goto(address)
        assert answer.status == 200, address
        refused = [text for text in page.violations if "Content Security Policy" in text]
        assert refused == [], address
        assert page.title() != "owned"
