import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from deployhooks.models import Delivery, Deploy
from tests.deployhooks.hooks import SECRET
from tests.deployhooks.repositories import (
    add_submodule,
    clone,
    commit,
    git,
    head,
    make_remote,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def remotes(tmp_path: Path) -> dict[str, Path]:
    names = ("site", "tracked", "pinned")
    remotes = {name: make_remote(tmp_path / "acme" / f"{name}.git") for name in names}
    add_submodule(remotes["site"], "tracked", remotes["tracked"], branch="main")
    add_submodule(remotes["site"], "pinned", remotes["pinned"])
    return remotes


@pytest.fixture
def checkout(remotes: dict[str, Path], settings, tmp_path: Path) -> Path:
    settings.DEPLOY_CHECKOUT = clone(remotes["site"], tmp_path / "checkout")
    settings.DEPLOY_BRANCH = settings.DEPLOY_REPOSITORY = settings.GITHUB_WEBHOOK_SECRET = ""
    settings.GITHUB_WEBHOOK_SECRET_FILE = tmp_path / "secret.txt"
    settings.GITHUB_WEBHOOK_SECRET_FILE.write_bytes(SECRET)
    return settings.DEPLOY_CHECKOUT


@pytest.fixture
def url(live_server, checkout: Path) -> str:
    return f"{live_server.url}/hooks/github/"


def send_push(*args: str) -> str:
    out = StringIO()
    call_command("send_push", *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def read_answer(output: str) -> dict:
    return json.loads(output.splitlines()[1])


def test_the_tip_of_the_remote_is_announced_and_queued(remotes, checkout: Path, url: str):
    before = head(checkout)
    commit(remotes["site"], {"a.txt": "a"}, "One")
    after = commit(remotes["site"], {"b.txt": "b"}, "Two\n\nWith a body.", remove=("a.txt",))

    output = send_push("--url", url)

    assert output.startswith("HTTP 202 Accepted\n")
    assert read_answer(output)["deploy"] == Deploy.objects.get().pk
    delivery = Delivery.objects.get()
    assert (delivery.before, delivery.after) == (before, after)
    assert (delivery.ref, delivery.repository) == ("refs/heads/main", "acme/site")
    assert (delivery.pusher, delivery.head_message) == ("Ada", "Two\n\nWith a body.")
    assert delivery.signature_algorithm == "sha256"
    payload = json.loads(delivery.payload)
    assert [one["message"].partition("\n")[0] for one in payload["commits"]] == ["One", "Two"]
    assert payload["commits"][0]["added"] == ["a.txt"]
    assert payload["commits"][1]["added"] == ["b.txt"]
    assert payload["commits"][1]["removed"] == ["a.txt"]


def test_announcing_moves_nothing_in_the_checkout(remotes, checkout: Path, url: str):
    commit(remotes["site"], {"a.txt": "a"})
    refs = git("for-each-ref", cwd=checkout)

    send_push("--url", url)

    assert git("for-each-ref", cwd=checkout) == refs
    assert not (checkout / ".git" / "FETCH_HEAD").exists()


def test_a_shallow_clone_can_announce_its_tip(remotes, settings, url: str, tmp_path: Path):
    commit(remotes["site"], {"a.txt": "a"}, "One")
    origin = f"file://{remotes['site']}"
    git("clone", "--quiet", "--depth", "1", origin, "shallow", cwd=tmp_path)
    settings.DEPLOY_CHECKOUT = tmp_path / "shallow"

    assert read_answer(send_push("--url", url))["outcome"] == "queued"
    assert Delivery.objects.get().head_message == "One"


def test_a_skip_marker_is_announced_as_well(remotes, url: str):
    commit(remotes["site"], {"a.txt": "a"}, "Typo [skip cd]")

    assert read_answer(send_push("--url", url))["outcome"] == "ignored"


def test_the_tip_of_a_submodule_is_announced(remotes, url: str):
    tip = commit(remotes["tracked"], {"post.rst": "Tea"}, "Write about tea")

    answer = read_answer(send_push("--url", url, "--submodule", "tracked"))

    assert answer["outcome"] == "queued"
    assert Delivery.objects.get().after == tip
    assert Delivery.objects.get().head_message == "Write about tea"


def test_a_submodule_that_is_not_cloned_is_announced_without_its_message(
    remotes, checkout: Path, url: str
):
    git("submodule", "deinit", "--quiet", "--force", "tracked", cwd=checkout)
    shutil.rmtree(checkout / ".git" / "modules" / "tracked")
    send_push("--url", url, "--submodule", "tracked")

    assert Delivery.objects.get().outcome == "queued"


def test_a_pinned_submodule_is_answered_with_what_to_do(url: str):
    answer = read_answer(send_push("--url", url, "--submodule", "pinned/"))

    assert answer["outcome"] == "ignored"
    assert "pinned" in answer["reason"]


def test_an_unknown_submodule_is_told_with_those_there_are(url: str):
    with pytest.raises(CommandError, match="no submodule at theme: pinned, tracked"):
        send_push("--url", url, "--submodule", "theme")


def test_a_refusal_is_printed_and_ends_with_1(settings, url: str, monkeypatch):
    monkeypatch.setattr("deployhooks.announcement._read_newest_secret", lambda: b"wrong")
    out = StringIO()

    with pytest.raises(CommandError, match="403") as caught:
        call_command("send_push", "--url", url, stdout=out, stderr=StringIO())

    assert caught.value.returncode == 1
    assert out.getvalue().startswith("HTTP 403 Forbidden\n")
    assert read_answer(out.getvalue())["outcome"] == "refused"


def test_without_a_secret_it_names_the_file(settings, url: str):
    settings.GITHUB_WEBHOOK_SECRET_FILE.unlink()

    with pytest.raises(CommandError, match=r"secret\.txt"):
        send_push("--url", url)


@pytest.mark.parametrize(
    "wrong",
    ["ftp://127.0.0.1/", "hooks/github", "https:///x", "http://a:b/", "http://[/", "http://a/é"],
)
def test_what_is_no_address_is_told(wrong: str, checkout: Path):
    with pytest.raises(CommandError, match="no address of a webhook"):
        send_push("--url", wrong)


def test_a_site_that_is_down_is_told(checkout: Path):
    with pytest.raises(CommandError, match=r"No answer from http://127\.0\.0\.1:1/"):
        send_push("--url", "http://127.0.0.1:1/")


def test_a_remote_out_of_reach_is_told(remotes, url: str):
    remotes["site"].rename(remotes["site"].with_name("away"))

    with pytest.raises(CommandError, match="ls-remote"):
        send_push("--url", url)


def test_a_branch_that_the_remote_lacks_is_told(settings, url: str):
    settings.DEPLOY_BRANCH = "live"

    with pytest.raises(CommandError, match="has no refs/heads/live"):
        send_push("--url", url)


@contextmanager
def serve_a_redirect() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(301)
            self.send_header("Location", "/elsewhere/")
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_no_redirect_is_followed(checkout: Path):
    with serve_a_redirect() as url, pytest.raises(CommandError, match="answered 301"):
        send_push("--url", url)


def test_help_names_the_default_address(settings, capsys):
    with pytest.raises(SystemExit):
        call_command("send_push", "--help")

    assert f"{settings.SITE_URL}/hooks/github/" in capsys.readouterr().out.replace("\n", "")
