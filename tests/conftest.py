"""What all tests share: state of their own, and no skipping where everything must run."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before Django's settings are read: whatever the tests write goes to a folder of their own.
_STATE = tempfile.TemporaryDirectory(prefix="blogsite-tests-")
os.environ["ENV_FILE"] = os.devnull
os.environ["DATA_DIR"] = _STATE.name
os.environ["GITHUB_WEBHOOK_SECRET_FILE"] = str(Path(_STATE.name) / "secret.txt")
for _name in ("DATABASE_URL", "SITE_URL", "PORT", "DEPLOY_BRANCH", "DEPLOY_CHECKOUT", "POSTS_DIR"):
    os.environ.pop(_name, None)

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def pytest_unconfigure() -> None:
    _STATE.cleanup()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With FAIL_ON_SKIP set, as in .ci/run, a test that would skip fails and says why."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("FAIL_ON_SKIP") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"would skip, which is not allowed here: {report.longrepr}"


@pytest.fixture
def shared() -> Path:
    """The folder of real payloads and posts beside the project; skips where it is missing."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there")
    return SHARED


@pytest.fixture(autouse=True)
def plain_static_files(settings: object) -> None:
    """Without collectstatic there is no manifest; templates still ask for static files."""
    settings.STORAGES = {  # type: ignore[attr-defined]
        **settings.STORAGES,  # type: ignore[attr-defined]
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
