"""git's settings for a deploy: no prompt, no hook, nothing that runs programs but credentials, ssh.

The machine's and the user's git configuration are read here and passed on in part; git itself does
not see them. What the operator sets for git in the environment is passed on as it is. Needs git
2.31; before 2.32 git reads the user's configuration whole.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deployhooks import process
from deployhooks.checkout.errors import CheckoutError

# `git rev-parse --local-env-vars`, without the configuration that an operator may set. They speak
# of another repository: a server started from a git hook inherits them.
OTHER_REPOSITORY = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
DEFAULTS = {
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "20",
    "advice.detachedHead": "false",
}
FIXED = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "gc.autoDetach": "false",
    "maintenance.autoDetach": "false",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
}
# What says how to reach and trust a remote, who commits, and how files are written.
PASSED_ON = re.compile(
    r"(?:credential|http|url|user|author|committer|safe|ssh)\..+"
    r"|protocol\.version"
    r"|core\.(?:sshcommand|askpass|autocrlf|eol|safecrlf|excludesfile|attributesfile|sharedrepository)"
)
MANY_VALUES = (".helper", ".extraheader", ".insteadof", ".directory")
# A server that says nothing any more is given up after half a minute.
SSH = "ssh -oBatchMode=yes -oConnectTimeout=10 -oServerAliveInterval=10 -oServerAliveCountMax=3"
PROTOCOLS = ("https", "http", "ssh", "git")
NEVER = "ext"


@dataclass(frozen=True)
class Config:
    """git's configuration as it stands for one repository: (scope, key, value), later ones win."""

    entries: tuple[tuple[str, str, str], ...]

    def get(self, key: str) -> str | None:
        """A value; the section and the name in `key` are in lower case."""
        values = [value for _, other, value in self.entries if other == key]
        return values[-1] if values else None

    def expand(self, url: str) -> str:
        """An address as git will use it: `url.<base>.insteadOf`, the longest match wins."""
        longest, base = "", ""
        for _, key, prefix in self.entries:
            is_rewrite = key.startswith("url.") and key.endswith(".insteadof")
            if is_rewrite and url.startswith(prefix) and len(prefix) > len(longest):
                longest, base = prefix, key[len("url.") : -len(".insteadof")]
        return base + url.removeprefix(longest)

    def passed_on(self) -> list[tuple[str, str]]:
        """What git would otherwise not see, and what the repository does not set for itself."""
        own = {key for scope, key, _ in self.entries if scope in ("local", "worktree")}
        return [
            (key, value)
            for scope, key, value in self.entries
            if scope in ("system", "global") and PASSED_ON.fullmatch(key)
            if key not in own or key.endswith(MANY_VALUES)
        ]


def read_config(path: Path) -> Config:
    """Read the configuration of the repository at `path`; no program is run by that."""
    args = ["git", "config", "--list", "--show-scope", "--includes", "-z"]
    try:
        data = process.read(args, cwd=path, env=_without_other_repository())
    except process.ProcessFailed as error:
        raise CheckoutError(f"The git configuration of {path} cannot be read: {error}") from error
    fields = data.decode("utf-8", "surrogateescape").split("\0")[:-1]
    pairs = zip(fields[::2], fields[1::2], strict=True)
    return Config(tuple((scope, *_split(entry)) for scope, entry in pairs))


def git_environment(config: Config, *, with_files: bool) -> dict[str, str]:
    """The whole environment for git; `with_files` allows remotes that are folders."""
    env = _without_other_repository()
    env.setdefault("GIT_TERMINAL_PROMPT", "0")
    if not config.get("core.askpass"):
        env.setdefault("GIT_ASKPASS", "true")
    if not config.get("core.sshcommand") and "GIT_SSH" not in env:
        env.setdefault("GIT_SSH_COMMAND", SSH)
    for role in ("AUTHOR", "COMMITTER"):
        env.setdefault(f"GIT_{role}_NAME", config.get("user.name") or "blogsite")
        env.setdefault(f"GIT_{role}_EMAIL", config.get("user.email") or "blogsite@localhost")
    env["LC_ALL"] = "C"  # git's messages are told apart by their words
    env["GIT_OPTIONAL_LOCKS"] = "0"
    env["GIT_ALLOW_PROTOCOL"] = ":".join(_protocols(env.get("GIT_ALLOW_PROTOCOL"), with_files))
    env["GIT_CONFIG_NOSYSTEM"] = "1"
    env["GIT_CONFIG_GLOBAL"] = os.devnull
    _add_counted(env, [*DEFAULTS.items(), *config.passed_on()])
    _add_fixed(env)
    return env


def forget_other_repositories() -> None:
    """Make this process forget what it was told about another repository, for GitPython's sake."""
    for name in OTHER_REPOSITORY:
        os.environ.pop(name, None)


def _without_other_repository() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name not in OTHER_REPOSITORY}


def _split(entry: str) -> tuple[str, str]:
    # A key without "=" has no value; to git that means true.
    key, newline, value = entry.partition("\n")
    return key, value if newline else "true"


def _protocols(wanted: str | None, with_files: bool) -> Iterable[str]:
    """The operator's own list, or ours; never `ext`, and files only where the site has them."""
    protocols = PROTOCOLS if wanted is None else tuple(filter(None, wanted.split(":")))
    if wanted is None and with_files:
        protocols += ("file",)
    return [one for one in protocols if one != NEVER and (with_files or one != "file")]


def _add_counted(env: dict[str, str], entries: Iterable[tuple[str, str]]) -> None:
    """Put configuration before the operator's own GIT_CONFIG_KEY_n, which then still wins."""
    counted = [*entries, *_counted(env)]
    env["GIT_CONFIG_COUNT"] = str(len(counted))
    for number, (key, value) in enumerate(counted):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value


def _counted(env: Mapping[str, str]) -> list[tuple[str, str]]:
    count = env.get("GIT_CONFIG_COUNT", "")
    return [
        (env[f"GIT_CONFIG_KEY_{n}"], env.get(f"GIT_CONFIG_VALUE_{n}", ""))
        for n in range(int(count) if count.isdecimal() else 0)
        if f"GIT_CONFIG_KEY_{n}" in env
    ]


def _add_fixed(env: dict[str, str]) -> None:
    """Add what nobody may change in the variable that `git -c` uses: it is read last of all."""
    fixed = [f"'{key}={value}'" for key, value in FIXED.items()]
    env["GIT_CONFIG_PARAMETERS"] = " ".join(
        filter(None, [env.get("GIT_CONFIG_PARAMETERS"), *fixed])
    )
