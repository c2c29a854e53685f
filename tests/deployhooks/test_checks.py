"""Wrong settings are told with a hint before the site starts."""

import pytest

from deployhooks import checks


@pytest.mark.parametrize(
    ("setting", "value", "number"),
    [
        ("DEPLOY_STEPS", ["deployhooks.steps.nothing"], "E001"),
        ("DEPLOY_TIMEOUT", 10_000, "E002"),
        ("SITE_URL", "blog.example.org", "E004"),
    ],
)
def test_a_wrong_setting_is_told_with_its_hint(settings, setting, value, number):
    setattr(settings, setting, value)
    found = [
        *checks.check_deploy_steps(None),
        *checks.check_queue_timeouts(None),
        *checks.check_site_url(None),
    ]
    assert [(one.id, bool(one.hint)) for one in found] == [(f"deployhooks.{number}", True)]


def test_the_admins_own_front_page_may_not_hide_ours(settings):
    assert checks.check_order_of_apps(None) == []
    apps = list(settings.INSTALLED_APPS)
    apps.remove("deployhooks")
    settings.INSTALLED_APPS = [*apps, "deployhooks"]
    (found,) = checks.check_order_of_apps(None)
    assert found.id == "deployhooks.E005"
    assert 'Put "deployhooks" above' in found.hint


def test_the_order_does_not_matter_without_the_admin(settings):
    left = ("blogsite", "axes", "django.contrib.admin")
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name not in left]
    assert checks.check_order_of_apps(None) == []
