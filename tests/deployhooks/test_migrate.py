"""Migrate and collectstatic: from the scratch worktree, on the live state, with a way back."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from deployhooks.steps.collectstatic import collectstatic, put_manifest_back
from deployhooks.steps.context import StepFailed
from deployhooks.steps.migrate import applied_by, migrate
from tests.deployhooks import repositories as repos
from tests.deployhooks.contexts import run
from tests.deployhooks.rows import make_step
from tests.deployhooks.tiny_site import TinySite, make_migration

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(tmp_path, settings, monkeypatch) -> TinySite:
    return TinySite(tmp_path, settings, monkeypatch)


def push(site: TinySite, files, **options):
    context = site.push(files, **options)
    context.scratch.make(context.target)
    make_step(context.deploy, started_at=timezone.now())
    return context


def test_new_migrations_are_applied_after_a_backup_before_the_live_tree_moves(site):
    context = push(site, {"app/new.py": ""})
    detail = run(migrate, context)
    assert detail.startswith("applied ")
    assert "app.0001_thing" in detail
    assert "app_thing" in site.tables()
    (backup,) = (site.root / "var" / "backups").iterdir()
    assert str(backup) in detail
    assert repos.head(site.checkout) == context.before.commit
    assert run(migrate, context) == "[no new migrations.]"


def test_a_failing_migration_is_told_with_those_that_went_before_it(site):
    bad = make_migration('migrations.RunSQL("SELECT x FROM y")')
    context = push(site, {"app/migrations/0002_bad.py": bad})
    with pytest.raises(StepFailed, match="no such table: y"):
        migrate(context)
    assert applied_by(context.deploy) == ["app.0001_thing"]


def test_what_was_applied_before_a_deploy_is_not_its_own(site):
    context = push(site, {"app/new.py": ""})
    migrate(context)
    context.deploy.steps.update(started_at=timezone.now() + timedelta(minutes=1))
    assert applied_by(context.deploy) == []


def test_nothing_is_migrated_without_a_backup(site):
    context = push(site, {"app/new.py": ""})
    (site.root / "var" / "backups").write_text("in the way")
    with pytest.raises(StepFailed, match="could not be backed up"):
        migrate(context)
    assert site.tables() == set()


def test_going_back_names_the_migrations_that_stay(site):
    more = make_migration('migrations.RunSQL("SELECT 1")')
    context = push(site, {"app/migrations/0002_more.py": more})
    migrate(context)
    repos.git("pull", "-q", cwd=site.checkout)
    repos.rewind(site.remote)
    back = push(site, {})
    detail = run(migrate, back)
    assert "no new migrations" in detail
    assert "stay applied: app.0002_more" in detail


def test_new_static_files_join_the_old_ones_and_the_manifest_goes_back(site):
    static = site.root / "var" / "static"
    collectstatic(push(site, {"app/new.py": ""}))
    old = json.loads((static / "staticfiles.json").read_text())["paths"]["app/look.css"]
    context = push(site, {"app/static/app/look.css": "p { color: red }\n"})
    context.kept.clear()
    collectstatic(context)
    new = json.loads((static / "staticfiles.json").read_text())["paths"]["app/look.css"]
    assert old != new
    assert (static / old).exists()
    assert "red" in (static / new).read_text()
    assert put_manifest_back(context)
    assert json.loads((static / "staticfiles.json").read_text())["paths"]["app/look.css"] == old
    assert not put_manifest_back(context)
