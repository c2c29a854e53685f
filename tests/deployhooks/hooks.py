"""Makes webhook requests as GitHub sends them, and the checkout that they are about."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client

from deployhooks.signatures import sign
from tests.deployhooks.repositories import git

SECRET = b"It's a Secret to Everybody"
OLD_SECRET = b"the one before"
TIP = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
GITMODULES = """\
[submodule "content"]
\tpath = content
\turl = ../content.git
\tbranch = main
[submodule "theme"]
\tpath = theme
\turl = https://github.com/acme/theme.git
[submodule "news"]
\tpath = news
\turl = https://github.com/acme/news.git
\tbranch = .
"""


def make_repository(full_name: str = "acme/site", **overrides: Any) -> dict[str, Any]:
    return {
        "full_name": full_name,
        "clone_url": f"https://github.com/{full_name}.git",
        "ssh_url": f"git@github.com:{full_name}.git",
        "git_url": f"git://github.com/{full_name}.git",
        "html_url": f"https://github.com/{full_name}",
        **overrides,
    }


def make_push(full_name: str = "acme/site", **overrides: Any) -> dict[str, Any]:
    return {
        "ref": "refs/heads/main",
        "before": "0" * 39 + "1",
        "after": TIP,
        "created": False,
        "deleted": False,
        "forced": False,
        "pusher": {"name": "octocat", "email": "octocat@example.org"},
        "head_commit": {"id": TIP, "message": "Write about tea"},
        "repository": make_repository(full_name),
        **overrides,
    }


def make_headers(body: bytes, **overrides: str | None) -> dict[str, str]:
    """GitHub's headers; an override of None leaves a header out."""
    headers = {
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Hook-ID": "109948940",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid4()),
        "X-Hub-Signature": sign(body, SECRET, "sha1"),
        "X-Hub-Signature-256": sign(body, SECRET),
        **{name.replace("_", "-"): value for name, value in overrides.items()},
    }
    return {name: value for name, value in headers.items() if value is not None}


def send(
    payload: Any = None,
    *,
    body: bytes | None = None,
    content_type: str = "application/json",
    path: str = "/hooks/github/",
    **headers: str | None,
) -> HttpResponse:
    """Post a delivery to the site; headers are named as in `X_GitHub_Event="ping"`."""
    if body is None:
        body = json.dumps(make_push() if payload is None else payload).encode()
    return Client(raise_request_exception=False).post(
        path, body, content_type=content_type, headers=make_headers(body, **headers)
    )


def make_checkout(
    folder: Path, remote: str = "git@github.com:acme/site.git", gitmodules: str = GITMODULES
) -> Path:
    """A checkout whose commit records the submodules; they are not cloned."""
    folder.mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=folder)
    git("remote", "add", "origin", remote, cwd=folder)
    (folder / ".gitmodules").write_text(gitmodules)
    git("add", ".", cwd=folder)
    for path in re.findall(r"path = (.+)", gitmodules):
        git("update-index", "--add", "--cacheinfo", f"160000,{TIP},{path}", cwd=folder)
    git("commit", "-q", "-m", "Begin", cwd=folder)
    return folder


def use_site(settings: Any, folder: Path, **checkout: str) -> Path:
    """Let the settings name a checkout and a secret file of the test's own."""
    settings.DEPLOY_CHECKOUT = make_checkout(folder / "site", **checkout)
    settings.DEPLOY_BRANCH = settings.DEPLOY_REPOSITORY = settings.GITHUB_WEBHOOK_SECRET = ""
    settings.GITHUB_WEBHOOK_SECRET_FILE = folder / "secret.txt"
    settings.GITHUB_WEBHOOK_SECRET_FILE.write_bytes(SECRET + b"\n" + OLD_SECRET + b"\n")
    return settings.DEPLOY_CHECKOUT
