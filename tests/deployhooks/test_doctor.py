"""What doctor finds, on real checkouts."""

from pathlib import Path

import pytest

from deployhooks import control, doctor
from tests.deployhooks.repositories import add_submodule, clone, make_remote

pytestmark = pytest.mark.django_db


@pytest.fixture
def checkout(tmp_path: Path, settings) -> Path:
    content = make_remote(tmp_path / "content.git")
    site = make_remote(tmp_path / "site.git")
    add_submodule(site, "content", content, branch="main")
    settings.DEPLOY_CHECKOUT = clone(site, tmp_path / "checkout")
    settings.RUN_DIR = tmp_path / "run"
    settings.GITHUB_WEBHOOK_SECRET_FILE = tmp_path / "secret.txt"
    return settings.DEPLOY_CHECKOUT


def problems() -> dict[str, str]:
    return {found.what: found.problem for found in doctor.examine() if found.problem}


def fine() -> list[str]:
    return [found.what for found in doctor.examine() if not found.problem]


def test_what_is_in_order_is_named(checkout):
    assert "branch main of origin" in fine()
    assert "submodule content tracks main" in fine()
    assert "database (sqlite)" in fine()


def test_what_does_not_run_is_told_with_what_to_do(checkout):
    assert "script/server" in problems()["gunicorn"]
    assert "script/server" in problems()["queue"]


def test_a_missing_secret_is_told(checkout):
    assert "secret.txt" in problems()["webhook secret"]


def test_a_secret_that_others_can_read_is_told(checkout, settings):
    settings.GITHUB_WEBHOOK_SECRET_FILE.write_text("s3cret")
    settings.GITHUB_WEBHOOK_SECRET_FILE.chmod(0o644)
    assert "chmod 600" in problems()["webhook secret"]
    settings.GITHUB_WEBHOOK_SECRET_FILE.chmod(0o600)
    assert "webhook secret" not in problems()


def test_a_remote_that_is_gone_is_told(checkout, tmp_path):
    (tmp_path / "site.git").rename(tmp_path / "moved.git")
    assert "ls-remote" in problems()["remote"]


def test_a_folder_that_is_no_checkout_is_told_and_the_rest_is_looked_at(checkout, settings):
    settings.DEPLOY_CHECKOUT = checkout.parent
    found = problems()
    assert "no git checkout" in found["checkout"]
    assert "queue" in found


def test_a_freeze_is_told(checkout):
    control.freeze("a talk")
    assert "a talk" in problems()["deploys are not held"]
