"""What all tests share, and no skipping where everything must run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

UNDER_LOAD = "test_bad_push.py"
NICE = 5
SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """A system test's file stays with one worker, which shares one site among its tests."""
    from xdist.scheduler import LoadScopeScheduling

    class FilesOfSystemTests(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if file.startswith("tests/system/") else nodeid

    return FilesOfSystemTests(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Other workers step back for the site under load: that costs as long as its tests take."""
    if "PYTEST_XDIST_WORKER" in os.environ and item.path.name != UNDER_LOAD:
        os.setpriority(os.PRIO_PROCESS, 0, NICE)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With FAIL_ON_SKIP set, as in .ci/run, a test that would skip fails and says why."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("FAIL_ON_SKIP") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"would skip, which is not allowed here: {report.longrepr}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many faults the tests provoked that the site survived."""
    passed = terminalreporter.stats.get("passed", [])
    faults = [text for report in passed for name, text in report.user_properties if name == "fault"]
    if faults:
        terminalreporter.write_line(f"{len(faults)} faults were survived.")


@pytest.fixture
def shared() -> Path:
    """The folder of real payloads and posts beside the project; skips where it is missing."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there")
    return SHARED


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """No power cut ends a test, and thousands of syncs would keep the sites under test waiting."""
    from django.conf import settings

    words = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
    settings.DATABASES["default"]["OPTIONS"]["init_command"] = words


@pytest.fixture(autouse=True)
def quick_passwords(settings: object) -> None:
    """A password that is meant to take long takes long in every test that signs somebody in."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def plain_static_files(settings: object) -> None:
    """Without collectstatic there is no manifest; templates still ask for static files."""
    settings.STORAGES = {  # type: ignore[attr-defined]
        **settings.STORAGES,  # type: ignore[attr-defined]
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
