"""A Django site small enough to start in no time: repository, checkout, database."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import environ
import pytest
from django.db.utils import ConnectionHandler

from deployhooks import database
from deployhooks.steps.context import Context
from deployhooks.steps.fetch import fetch
from tests.deployhooks import repositories as repos
from tests.deployhooks.contexts import make_context

SETTINGS = """
import environ, os
SECRET_KEY = "secret"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "blogsite.urls"
INSTALLED_APPS = ["django.contrib.staticfiles", "app"]
DATABASES = {"default": environ.Env().db_url("DATABASE_URL")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
LOGGING = {"version": 1, "disable_existing_loggers": False,
           "handlers": {"stderr": {"class": "logging.StreamHandler"}},
           "root": {"handlers": ["stderr"]}}
STATIC_ROOT = os.environ["DATA_DIR"] + "/static"
STORAGES = {"staticfiles": {
    "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
"""
URLS = """
from django.http import HttpResponse
from django.urls import path
from app.models import Thing

def front(request):
    return HttpResponse(str(Thing.objects.count()))

urlpatterns = [path("", front), path("healthz", lambda request: HttpResponse("ok"))]
"""
MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blogsite.settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
WSGI = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blogsite.settings")
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""
GUNICORN = """
import os
wsgi_app = "blogsite.wsgi"
bind = os.environ.get("GUNICORN_BIND", "127.0.0.1:0")
control_socket_disable = True
"""
MODELS = """
from django.db import models

class Thing(models.Model):
    name = models.TextField()
"""
MIGRATION = """
from django.db import migrations, models

class Migration(migrations.Migration):
    initial = {initial}
    dependencies = [{dependencies}]
    operations = [{operations}]
"""
CREATE = """migrations.CreateModel("Thing", [
    ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False,
                               verbose_name="ID")),
    ("name", models.TextField())])"""
FILES = {
    ".gitignore": "*.pyc\n",
    "manage.py": MANAGE,
    "blogsite/__init__.py": "",
    "blogsite/settings.py": SETTINGS,
    "blogsite/urls.py": URLS,
    "blogsite/wsgi.py": WSGI,
    "blogsite/gunicorn_conf.py": GUNICORN,
    "app/__init__.py": "",
    "app/models.py": MODELS,
    "app/static/app/look.css": "p {}\n",
    "app/migrations/__init__.py": "",
    "app/migrations/0001_thing.py": MIGRATION.format(
        initial=True, dependencies="", operations=CREATE
    ),
    "requirements.txt": "",
}


def make_migration(operation: str) -> str:
    return MIGRATION.format(
        initial=False, dependencies='("app", "0001_thing")', operations=operation
    )


class TinySite:
    """`site.git`, its `checkout`, `var` and the live database `live.sqlite3`, below one folder."""

    def __init__(self, root: Path, settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.settings, self.monkeypatch = root, settings, monkeypatch
        self.remote = repos.make_remote(root / "site.git", FILES)
        self.checkout = repos.clone(self.remote, root / "checkout")
        self.live = root / "live.sqlite3"
        sqlite3.connect(self.live).close()
        url = database.sqlite_url(self.live)
        # Asked through Django, as migrations recorded in a database that is not the tests' own.
        monkeypatch.setattr("deployhooks.steps.migrate.find_applied", self.find_applied)
        connections = ConnectionHandler({"default": environ.Env.db_url_config(url)})
        monkeypatch.setattr(database, "connection", connections["default"])
        settings.DATA_DIR = root / "var"
        settings.RUN_DIR = root / "var" / "run"
        settings.STATIC_ROOT = root / "var" / "static"
        settings.DEPLOY_ENVIRONMENT = {"DATA_DIR": str(settings.DATA_DIR)}
        settings.DEPLOY_CONTENT = []
        settings.DEPLOY_PREFLIGHT_TIMEOUT = 30

    def use(self, url: str) -> None:
        """Make this the live database."""
        connections = ConnectionHandler({"default": environ.Env.db_url_config(url)})
        self.monkeypatch.setattr(database, "connection", connections["default"])
        self.monkeypatch.setenv("DATABASE_URL", url)

    def push(self, files: Mapping[str, str], **options) -> Context:
        """Push a change; return the context of a deploy that has fetched it."""
        repos.commit(self.remote, files, **options)
        context = make_context(self.settings, self.checkout)
        fetch(context)
        return context

    def query(self, sql: str) -> list:
        with closing(sqlite3.connect(self.live)) as connection:
            return connection.execute(sql).fetchall()

    def find_applied(self, since) -> list[str]:
        if "django_migrations" not in self.tables():
            return []
        rows = self.query("SELECT app, name, applied FROM django_migrations ORDER BY id")
        return [f"{app}.{name}" for app, name, at in rows if at >= str(since)]

    def tables(self) -> set[str]:
        return {name for (name,) in self.query("SELECT name FROM sqlite_master")}
