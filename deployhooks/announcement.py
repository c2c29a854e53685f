"""Announces a repository's tip to the webhook as GitHub would, to try the whole way by hand."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from git import NULL_TREE, Actor, Commit

from deployhooks.checkout import Checkout, CheckoutError
from deployhooks.checkout.reading import git_directory, has_commit, is_repository, opened
from deployhooks.payloads import BRANCHES, JSON_TYPE, NO_COMMIT
from deployhooks.process import ProcessFailed
from deployhooks.repositories import derive_full_name, normalise_url
from deployhooks.signatures import read_secrets, sign

REMOTE_SECONDS = 30.0
ANSWER_SECONDS = 10.0  # as long as GitHub waits
MAX_COMMITS = 20
MAX_ANSWER = 64 * 1024
WEBHOOK_URL = re.compile(
    r"https?://(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?(?:[/?][!-~]*)?", re.ASCII
)


class CannotAnnounce(Exception):
    """The message tells what is missing, or who did not answer."""


@dataclass(frozen=True)
class Tip:
    """The newest commit of a remote's branch, and where its objects are kept here."""

    url: str
    full_name: str
    branch: str
    before: str
    after: str
    git_dir: Path


@dataclass(frozen=True)
class Reply:
    status: int
    phrase: str
    text: str

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def find_tip(submodule: str | None = None) -> Tip:
    """Ask the remote of the site, or of the submodule at a path, for the tip of its branch.

    Raises CannotAnnounce.
    """
    checkout = Checkout(settings.DEPLOY_CHECKOUT, settings.DEPLOY_REMOTE, settings.DEPLOY_BRANCH)
    try:
        if submodule is None:
            return _find_site_tip(checkout)
        return _find_submodule_tip(checkout, submodule.strip("/"))
    except (CheckoutError, ProcessFailed) as error:
        raise CannotAnnounce(str(error)) from error


def _find_site_tip(checkout: Checkout) -> Tip:
    url, branch = checkout.remote_url(), checkout.branch_name()
    full_name = settings.DEPLOY_REPOSITORY or derive_full_name(url)
    after = _ask_remote(checkout, url, BRANCHES + branch)
    return Tip(url, full_name, branch, checkout.head_commit(), after, git_directory(checkout.path))


def _find_submodule_tip(checkout: Checkout, path: str) -> Tip:
    submodules = {submodule.path: submodule for submodule in checkout.submodules()}
    if path not in submodules:
        known = ", ".join(submodules) or "it has none"
        raise CannotAnnounce(f"The site has no submodule at {path}: {known}.")
    submodule = submodules[path]
    # Of a pinned one no branch counts: announce the site's, the answer will explain it.
    branch = submodule.branch or checkout.branch_name()
    return Tip(
        url=submodule.url,
        full_name=derive_full_name(submodule.url),
        branch=branch,
        before=checkout.version().submodules.get(path, NO_COMMIT),
        after=_ask_remote(checkout, submodule.url, BRANCHES + branch),
        git_dir=submodule.git_dir,
    )


def _ask_remote(checkout: Checkout, url: str, ref: str) -> str:
    args = ["git", "ls-remote", "--", url, ref]
    answer = checkout.run(args, env=checkout.env, timeout=REMOTE_SECONDS)
    found = re.search(rf"^([0-9a-f]{{40}})\t{re.escape(ref)}$", answer.output, re.MULTILINE)
    if not found:
        raise CannotAnnounce(f"{_show(url)} has no {ref}.")
    return found[1]


def fetch_objects(tip: Tip) -> bool:
    """Have the tip's commits here, without moving any ref; False where nothing is cloned."""
    if has_commit(tip.git_dir, tip.after):
        return True
    if not is_repository(tip.git_dir):
        return False
    checkout = Checkout(settings.DEPLOY_CHECKOUT, settings.DEPLOY_REMOTE, settings.DEPLOY_BRANCH)
    options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"]
    args = ["git", "fetch", *options, "--", tip.url, BRANCHES + tip.branch]
    # Told where it is, git does not look for the worktree, which may be gone.
    place = {"GIT_DIR": str(tip.git_dir), "GIT_WORK_TREE": str(tip.git_dir)}
    try:
        checkout.run(args, cwd=tip.git_dir, env=checkout.env | place, timeout=REMOTE_SECONDS)
    except ProcessFailed as error:
        raise CannotAnnounce(str(error)) from error
    return has_commit(tip.git_dir, tip.after)


def build_push(tip: Tip) -> dict[str, Any]:
    """Return the payload of a push that moved the branch from what is checked out to the tip."""
    commits = _describe_commits(tip) if fetch_objects(tip) else []
    head_commit: dict[str, Any] = commits[-1] if commits else {"id": tip.after, "message": ""}
    author = head_commit.get("author", {"name": "send_push", "email": "send_push@localhost"})
    is_new = tip.before == NO_COMMIT
    return {
        "ref": BRANCHES + tip.branch,
        "before": tip.before,
        "after": tip.after,
        "repository": _describe_repository(tip),
        "pusher": author,
        "sender": {"login": author["name"], "type": "User"},
        "created": is_new,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"{_show(tip.url)}/compare/{tip.before[:12]}...{tip.after[:12]}",
        "commits": commits,
        "head_commit": head_commit,
    }


def _describe_repository(tip: Tip) -> dict[str, Any]:
    """GitHub's four addresses of a repository; of a folder there is but one."""
    normal = normalise_url(tip.url)
    if normal.startswith("//"):
        host, _, path = normal.removeprefix("//").partition("/")
        urls = {
            "html_url": f"https:{normal}",
            "git_url": f"git:{normal}.git",
            "ssh_url": f"ssh://git@{host}/{path}.git",
            "clone_url": f"https:{normal}.git",
        }
    else:
        urls = dict.fromkeys(("html_url", "git_url", "ssh_url", "clone_url"), f"file://{normal}")
    owner, _, name = tip.full_name.rpartition("/")
    return {
        "name": name,
        "full_name": tip.full_name,
        "owner": {"name": owner, "login": owner},
        "default_branch": tip.branch,
        **urls,
    }


def _describe_commits(tip: Tip) -> list[dict[str, Any]]:
    """The newest commits that the push brings, oldest first; the tip itself at the very least."""
    with opened(tip.git_dir) as repository:
        has_before = tip.before != NO_COMMIT and has_commit(tip.git_dir, tip.before)
        span = f"{tip.before}..{tip.after}" if has_before else tip.after
        commits = list(repository.iter_commits(span, max_count=MAX_COMMITS))
        commits = commits or [repository.commit(tip.after)]
        return [_describe_commit(commit, tip) for commit in reversed(commits)]


def _describe_commit(commit: Commit, tip: Tip) -> dict[str, Any]:
    return {
        "id": commit.hexsha,
        "tree_id": commit.tree.hexsha,
        "distinct": True,
        "message": str(commit.message).rstrip("\n"),
        "timestamp": commit.committed_datetime.isoformat(),
        "url": f"{_show(tip.url)}/commit/{commit.hexsha}",
        "author": _describe_person(commit.author),
        "committer": _describe_person(commit.committer),
        **_list_changes(commit, tip),
    }


def _describe_person(person: Actor) -> dict[str, str]:
    return {"name": person.name or "", "email": person.email or ""}


def _list_changes(commit: Commit, tip: Tip) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    if any(not has_commit(tip.git_dir, parent.hexsha) for parent in commit.parents):
        return lists  # the clone is shallow and begins here; GitHub's lists may be empty, too
    changes = commit.parents[0].diff(commit) if commit.parents else commit.diff(NULL_TREE)
    for change in changes:
        if change.a_path and (change.deleted_file or change.renamed_file):
            lists["removed"].append(change.a_path)
        if change.b_path and (change.new_file or change.renamed_file):
            lists["added"].append(change.b_path)
        if change.b_path and not (change.deleted_file or change.new_file or change.renamed_file):
            lists["modified"].append(change.b_path)
    return lists


def _show(url: str) -> str:
    """An address for people, without the password that may stand in it."""
    normal = normalise_url(url)
    return f"https:{normal}" if normal.startswith("//") else normal


def post_delivery(url: str, payload: Mapping[str, Any]) -> Reply:
    """Sign a push with the newest secret and post it once; no redirect is followed, as by GitHub.

    Raises CannotAnnounce when there is no secret or no answer.
    """
    connection, path = _prepare_connection(url)
    body = json.dumps(payload).encode()
    headers = _make_headers(body, _read_newest_secret())
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read(MAX_ANSWER).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise CannotAnnounce(f"No answer from {url}: {error or type(error).__name__}.") from error
    finally:
        connection.close()
    return Reply(answer.status, answer.reason, text)


def _prepare_connection(url: str) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection that is not yet opened, and what to ask it for."""
    if not WEBHOOK_URL.fullmatch(url):
        raise CannotAnnounce(f"{url} is no address of a webhook: it begins with https://.")
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return kind(parts.netloc, timeout=ANSWER_SECONDS), path


def _read_newest_secret() -> bytes:
    file = settings.GITHUB_WEBHOOK_SECRET_FILE
    try:
        secrets = read_secrets(file, settings.GITHUB_WEBHOOK_SECRET)
    except OSError as error:
        raise CannotAnnounce(f"{file} cannot be read: {error.strerror}.") from error
    if not secrets:
        raise CannotAnnounce(f"There is no secret: write one into {file}.")
    return secrets[0]


def _make_headers(body: bytes, secret: bytes) -> dict[str, str]:
    return {
        "Accept": "*/*",
        "Content-Type": JSON_TYPE,
        "User-Agent": "GitHub-Hookshot/send_push",
        "X-GitHub-Delivery": str(uuid4()),
        "X-GitHub-Event": "push",
        "X-GitHub-Hook-ID": "0",
        "X-GitHub-Hook-Installation-Target-ID": "0",
        "X-GitHub-Hook-Installation-Target-Type": "repository",
        "X-Hub-Signature": sign(body, secret, "sha1"),
        "X-Hub-Signature-256": sign(body, secret),
    }
