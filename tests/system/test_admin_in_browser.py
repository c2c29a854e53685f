"""The admin in a real Chromium, under the policy that allows neither inline script nor style."""

import shutil
from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse
from playwright.sync_api import Page, expect, sync_playwright

from tests.deployhooks.rows import make_delivery, make_deploy, make_refusal, make_step

pytestmark = pytest.mark.django_db(transaction=True)

NARROW = {"width": 360, "height": 740}


def strict_policy(get_response):
    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        policy = "default-src 'self'; img-src 'self' data:; form-action 'self'"
        response["Content-Security-Policy"] = policy
        return response

    return answer


@pytest.fixture
def page(live_server, admin_user, client, settings, monkeypatch) -> Iterator[Page]:
    """A signed-in page; the test fails when the browser reports an error."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on the PATH")
    # Playwright keeps a loop running in this thread, where tests then change rows.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    policy = f"{__name__}.strict_policy"
    settings.MIDDLEWARE = [policy, *settings.MIDDLEWARE]
    client.force_login(admin_user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(base_url=live_server.url)
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        yield page
        browser.close()
    assert not [error for error in errors if "favicon" not in error and "404" not in error]


def address_of(deploy) -> str:
    return f"/admin/deployhooks/deploy/{deploy.pk}/change/"


def test_page_of_a_running_deploy_follows_it_to_its_end(page):
    deploy = make_deploy([make_delivery()], status="running")
    make_step(deploy, "fetch", output="From github\n")
    pull = make_step(deploy, "pull", status="running", output="begin\n")
    page.goto(address_of(deploy))
    fetch_output = page.get_by_role("region", name="Output of fetch")
    expect(fetch_output).to_be_hidden()
    page.locator("summary", has_text="Output of fetch").click()

    pull.output += "\n".join(f"line {number}" for number in range(100))
    pull.save()

    expect(page.get_by_role("region", name="Output of pull")).to_contain_text("line 99")
    expect(fetch_output).to_be_visible()  # what a person opened stays open

    pull.close("failed", "No room left.")
    deploy.fail("The disk is full.")

    expect(page.get_by_text("The disk is full.")).to_be_visible()
    page.get_by_role("button", name="Re-run this deploy").click()
    expect(page.get_by_text(f"runs deploy #{deploy.pk} again")).to_be_visible()


def test_action_reruns_what_is_selected_in_the_list(page):
    deploy = make_deploy([make_delivery()], status="failed")
    page.goto("/admin/deployhooks/deploy/")
    page.locator(f"input[name=_selected_action][value='{deploy.pk}']").check()
    page.get_by_label("Action:").select_option(label="Re-run selected deploys")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text(f"runs deploy #{deploy.pk} again")).to_be_visible()


def test_pages_fit_a_narrow_window(page):
    deploy = make_deploy([make_delivery()], status="failed", error="No route to " + "x" * 200)
    make_step(deploy, status="failed", output="y" * 500)
    refusal = make_refusal(headers={"X-Long": "z" * 300})
    page.set_viewport_size(NARROW)
    for path in (
        "/admin/",
        "/admin/deployhooks/deploy/",
        "/admin/deployhooks/delivery/",
        "/admin/deployhooks/refusal/",
        address_of(deploy),
        f"/admin/deployhooks/delivery/{deploy.deliveries.get().pk}/change/",
        f"/admin/deployhooks/refusal/{refusal.pk}/change/",
    ):
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"], path
