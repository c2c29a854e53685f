"""Preflight: a small site of its own, real processes, a real trial start."""

import importlib.util
import sqlite3
from pathlib import Path

import psycopg
import pytest

from deployhooks import database
from deployhooks.database import NoRehearsal
from deployhooks.requirements import Requirements
from deployhooks.steps.context import StepFailed
from deployhooks.steps.preflight import preflight
from tests.deployhooks import repositories as repos
from tests.deployhooks.contexts import run
from tests.deployhooks.test_requirements import make_wheel
from tests.deployhooks.tiny_site import FILES, TinySite, make_migration
from tests.postgres import private_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(tmp_path, settings, monkeypatch) -> TinySite:
    return TinySite(tmp_path, settings, monkeypatch)


def refusal(context) -> str:
    with pytest.raises(StepFailed) as refused:
        preflight(context)
    return str(refused.value)


def test_a_version_that_works_starts_on_copies_and_leaves_no_trace(site):
    context = site.push({"app/static/app/look.css": "p { color: red }\n"})
    assert preflight(context) == f"{context.target.commit[:7]} starts and answers"
    assert "/ answers 200" in context.log.text
    assert site.tables() == set()
    assert not (site.root / "var" / "static").exists()
    assert "red" not in (site.checkout / "app" / "static" / "app" / "look.css").read_text()


def test_only_content_that_changes_needs_no_trial(site):
    context = site.push({})
    context.target = context.before
    assert run(preflight, context) == "[only content changes]"
    assert not context.scratch.tree.exists()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"blogsite/urls.py": "def (:\n"}, ["its checks", "urls.py", "SyntaxError"]),
        ({"blogsite/settings.py": "x = = 1\n"}, ["settings.py", "SyntaxError"]),
        ({"app/models.py": "import sys; sys.exit(3)"}, ["models.py", "SystemExit: 3"]),
        ({"app/tasks.py": "def (:\n"}, ["commands and tasks", "tasks.py", "SyntaxError"]),
        (
            {f"app/{folder}__init__.py": "" for folder in ("management/", "management/commands/")}
            | {"app/management/commands/look.py": "import nobody_has_it\n"},
            ["commands and tasks", "look.py", "nobody_has_it"],
        ),
        ({"blogsite/urls.py": "import nobody_has_it"}, ["No module named 'nobody_has_it'"]),
        ({"blogsite/gunicorn_conf.py": "bind = ("}, ["a trial start", "was never closed"]),
        (
            {"app/migrations/0002_bad.py": make_migration('migrations.RunSQL("SELECT x FROM y")')},
            ["its migrations on a copy", "no such table: y"],
        ),
        (
            {"app/migrations/0001_thing.py": "", "app/migrations/0001_other.py": ""},
            ["0001_", "Migration"],
        ),
        (
            {"blogsite/urls.py": "from django.http import HttpResponse\n"
             "from django.urls import path\n"
             "def front(request): raise RuntimeError('not today')\n"
             "urlpatterns = [path('', front), path('healthz', lambda r: HttpResponse())]\n"},
            ["a trial start", "RuntimeError: not today"],
        ),
    ],
)  # fmt: skip
def test_a_version_that_is_broken_is_refused_with_the_end_of_its_traceback(site, files, words):
    context = site.push(files)
    said = refusal(context)
    assert said.startswith(f"{context.target.commit[:7]} was refused, the site is untouched:")
    for word in words:
        assert word in said
    assert repos.head(site.checkout) == context.before.commit
    assert site.tables() == set()


def test_a_model_without_its_migration_is_refused(site):
    models = (repos.desk_of(site.remote) / "app" / "models.py").read_text()
    said = refusal(
        site.push({"app/models.py": models + "    more = models.TextField(null=True)\n"})
    )
    assert "a look for missing migrations failed" in said
    assert "more" in said


def test_what_hangs_is_given_up(site):
    site.settings.DEPLOY_PREFLIGHT_TIMEOUT = 3
    said = refusal(site.push({"blogsite/urls.py": "import time; time.sleep(600)"}))
    assert "its checks failed (was stopped after 3 s)" in said


def test_a_worker_that_hangs_at_its_start_is_given_up(site):
    site.settings.DEPLOY_PREFLIGHT_TIMEOUT = 5
    said = refusal(site.push({"blogsite/wsgi.py": "import time; time.sleep(600)"}))
    assert "a trial start under gunicorn failed" in said


def test_a_requirement_that_cannot_be_installed_is_refused(site, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    context = site.push({"requirements.txt": "a-package-that-nobody-has==1\n"})
    said = refusal(context)
    assert "installing its requirements beside the live ones failed" in said
    assert "a-package-that-nobody-has" in said
    assert not context.kept


@pytest.fixture
def wheels(tmp_path, monkeypatch) -> Path:
    """A folder from which alone pip installs; what it installs is gone again at the end."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_new_package_is_there_for_the_trial_and_in_nobody_elses_way(site, wheels, monkeypatch):
    make_wheel(wheels, "probe_of_trial", "1")
    installed = []
    monkeypatch.setattr(Requirements, "install", lambda self, path: installed.append(path))
    uses_it = "import probe_of_trial\n" + FILES["blogsite/urls.py"]
    context = site.push({"requirements.txt": "probe_of_trial==1\n", "blogsite/urls.py": uses_it})
    assert "requirements installed" in preflight(context)
    assert installed == [context.scratch.tree / "requirements.txt"]
    assert importlib.util.find_spec("probe_of_trial") is None


def test_a_refused_version_installs_nothing(site, wheels, monkeypatch):
    make_wheel(wheels, "probe_of_trial", "1")
    monkeypatch.setattr(Requirements, "install", lambda self, path: pytest.fail("installed"))
    context = site.push({"requirements.txt": "probe_of_trial==1\n", "blogsite/urls.py": "def (:"})
    assert "SyntaxError" in refusal(context)
    assert not context.kept


def test_packages_that_an_earlier_deploy_left_changed_go_back_before_content(site, monkeypatch):
    restored = []
    monkeypatch.setattr(
        Requirements, "restore", lambda self, frozen: restored.append(frozen) or len(frozen)
    )
    context = site.push({})
    context.target = context.before
    context.kept.keep("packages.txt", "Django==5.2")
    assert run(preflight, context) == "[only content changes]"
    assert "1 packages put back that an earlier deploy had changed" in context.log.text
    assert restored == [["Django==5.2"]]
    assert not context.kept


def test_packages_that_an_earlier_deploy_left_changed_are_installed_with_the_next_code(
    site, monkeypatch
):
    installed = []
    monkeypatch.setattr(Requirements, "install", lambda self, path: installed.append(path))
    context = site.push({"app/new.py": ""})
    context.kept.keep("packages.txt", "Django==5.2")
    assert "requirements installed" in preflight(context)
    assert installed
    assert context.kept.find("packages.txt") == "Django==5.2"


def test_a_gunicorn_that_a_reload_cannot_change_is_named(site, monkeypatch):
    versions = {"gunicorn": "1.0", "Python": "2.7.18"}
    monkeypatch.setattr("deployhooks.gunicorn.Gunicorn.versions", lambda self: versions)
    detail = preflight(site.push({"app/new.py": ""}))
    assert "1.0 goes on running" in detail
    assert "2.7.18 goes on running" in detail
    assert "restart script/server" in detail


def test_without_a_database_for_rehearsals_migrations_are_planned_and_that_is_said(
    site, monkeypatch
):
    def refuse(folder):
        raise NoRehearsal("permission denied")

    monkeypatch.setattr("deployhooks.steps.preflight.rehearsal_database", refuse)
    context = site.push({"app/new.py": ""})
    assert "migrations planned, not rehearsed: permission denied" in preflight(context)
    assert "Planned operations" in context.log.text
    assert "app_thing" not in site.tables()


def test_on_postgresql_migrations_are_rehearsed_and_the_canary_runs_on_what_they_made(site):
    with private_server() as url:
        site.use(url)
        context = site.push({"app/new.py": ""})
        assert preflight(context) == f"{context.target.commit[:7]} starts and answers"
        assert "Applying app.0001_thing" in context.log.text
        assert "/ answers 200" in context.log.text
        bad = make_migration('migrations.RunSQL("SELECT x FROM y")')
        assert 'relation "y" does not exist' in refusal(
            site.push({"app/migrations/0002_b.py": bad})
        )
        with psycopg.connect(url) as live:
            assert live.execute("SELECT to_regclass('app_thing')").fetchone() == (None,)
        database.connection.close()


def test_without_room_for_the_copies_it_says_what_to_do(site, monkeypatch):
    def fail(target):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(database, "copy_sqlite", fail)
    said = refusal(site.push({"app/new.py": ""}))
    assert "disk is full" in said
    assert "Make room below DATA_DIR" in said
