"""Hostile payloads, signed with the right secret: they are kept, shown and deploy nothing."""

import os
import subprocess
from pathlib import Path

import pytest
from django.test import Client

from deployhooks.checkout import Checkout
from deployhooks.models import Delivery, Deploy
from tests.deployhooks import repositories as repos
from tests.deployhooks.hooks import make_push, make_repository, send, use_site

pytestmark = pytest.mark.django_db
HTML = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def site(settings, tmp_path: Path) -> Path:
    return use_site(settings, tmp_path)


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/--upload-pack=touch${IFS}/tmp/owned",
        "--upload-pack=touch /tmp/owned",
        "refs/heads/../../x",
        "refs/heads/main/../../../config",
        "refs/heads/main\n+refs/heads/*:refs/heads/*",
        "refs/heads/main\0",
        "refs/heads/\x1b]0;owned\x07",
        "refs/heads/$(reboot)",
        f"refs/heads/{HTML}",
        "refs/heads/" + "m" * 1024 * 1024,
        "refs/heads/main ",
        "refs/heads/Main",
    ],
    ids=lambda ref: ascii(ref[:45]),
)
def test_a_branch_name_is_compared_and_nothing_else(ref, admin_client):
    answer = send(make_push(ref=ref))
    assert (answer.status_code, answer.json()["outcome"]) == (200, "ignored")
    assert len(answer.content) < 2000
    assert not Deploy.objects.exists()
    delivery = Delivery.objects.get()
    for page in ("", f"{delivery.pk}/change/"):
        shown = admin_client.get(f"/admin/deployhooks/delivery/{page}")
        assert shown.status_code == 200
        assert HTML not in shown.content.decode()


@pytest.mark.parametrize(
    "name",
    ["acme/\x1b[2Jsite", "acme/si\0te", "a" * 1024 * 1024, HTML, "../../etc/passwd", "--help", "/"],
    ids=lambda name: ascii(name[:30]),
)
def test_a_repository_name_is_compared_and_nothing_else(name, admin_client):
    repository = make_repository("other/other", clone_url=name, html_url=name)
    repository["full_name"] = name
    answer = send(make_push(repository=repository))
    assert (answer.status_code, answer.json()["outcome"]) == (200, "ignored")
    assert len(answer.content) < 3000
    assert not Deploy.objects.exists()
    assert HTML not in admin_client.get("/admin/deployhooks/delivery/").content.decode()


def test_texts_of_people_are_escaped_wherever_they_are_shown(admin_client):
    commit = {"id": "a" * 40, "message": f"{HTML}\n{HTML}"}
    answer = send(make_push(head_commit=commit, pusher={"name": HTML}))
    number = answer.json()["deploy"]
    Deploy.objects.get().steps.create(position=1, name="submodules", output=HTML, detail=HTML)
    for page in (
        "/admin/",
        "/admin/deployhooks/delivery/",
        f"/admin/deployhooks/delivery/{Delivery.objects.get().pk}/change/",
        "/admin/deployhooks/deploy/",
        f"/admin/deployhooks/deploy/{number}/change/",
        f"/admin/deployhooks/deploy/{number}/live/",
    ):
        assert HTML not in admin_client.get(page).content.decode(), page
    log = admin_client.get(f"/admin/deployhooks/deploy/{number}/log/")
    assert log.headers["Content-Type"].startswith("text/plain")
    assert log.headers["X-Content-Type-Options"] == "nosniff"


def test_addresses_in_a_payload_are_never_asked(tmp_path, monkeypatch):
    started = []
    start = subprocess.Popen

    def note(args, *rest, **options):
        started.append(args)
        return start(args, *rest, **options)

    monkeypatch.setattr(subprocess, "Popen", note)
    evil = f"ext::sh -c touch% {tmp_path}/owned"
    send(make_push(repository=make_repository(clone_url=evil, ssh_url=evil)))
    assert not any(evil in part for args in started for part in map(str, args))
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("hook", ["post-checkout", "post-merge", "reference-transaction"])
def test_hooks_that_a_repository_brings_along_do_not_run(tmp_path, hook):
    remote = repos.make_remote(
        tmp_path / "theirs.git", {"hooks/x": "#!/bin/sh\n", ".gitattributes": "* filter=evil\n"}
    )
    clone = repos.clone(remote, tmp_path / "clone")
    script = clone / ".git" / "hooks" / hook
    script.parent.mkdir(exist_ok=True)
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/owned\n")
    os.chmod(script, 0o755)  # noqa: PTH101
    tip = repos.commit(remote, {"new.txt": "new\n"})
    checkout = Checkout(clone)
    assert checkout.fetch_branch() == tip
    checkout.move_to(tip)
    assert (clone / "new.txt").exists()
    assert not (tmp_path / "owned").exists()


def test_a_visitor_learns_nothing_from_a_wrong_signature():
    answer = send(make_push(), X_Hub_Signature_256="sha256=" + "0" * 64)
    assert answer.status_code == 403
    assert "Secret to Everybody" not in answer.content.decode()
    assert Client().get("/admin/deployhooks/refusal/").status_code == 302
