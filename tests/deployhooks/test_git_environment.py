"""git runs for a deploy with what the operator set, and with nothing that runs programs."""

import os

import pytest

from deployhooks.checkout import Checkout
from tests.deployhooks import repositories as repos


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A user with a configuration of their own."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "SSH_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def path(tmp_path):
    return repos.clone(repos.make_remote(tmp_path / "site.git"), tmp_path / "checkout")


def ask(path, *args):
    """What git says in the deploy's environment."""
    return Checkout(path).git.ask_line(*args)


def setting(path, key):
    return ask(path, "config", "--default", "unset", "--get", key)


def test_nothing_prompts(path):
    env = Checkout(path).env

    assert env["GIT_TERMINAL_PROMPT"] == "0"
    assert env["GIT_ASKPASS"] == "true"
    assert "-oBatchMode=yes" in env["GIT_SSH_COMMAND"]
    assert env["LC_ALL"] == "C"


def test_what_the_operator_set_for_git_is_passed_on(path, monkeypatch):
    own = {
        "GIT_ASKPASS": "/usr/bin/askpass",
        "GIT_SSH_COMMAND": "ssh -i key",
        "GIT_SSL_CAINFO": "/etc/ca",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.proxy",
        "GIT_CONFIG_VALUE_0": "http://127.0.0.1:3128",
        "SSH_AUTH_SOCK": "/run/agent",
        "https_proxy": "http://127.0.0.1:3128",
    }
    for name, value in own.items():
        monkeypatch.setenv(name, value)

    env = Checkout(path).env

    assert {name: env[name] for name in own if not name.startswith("GIT_CONFIG")} == {
        name: own[name] for name in own if not name.startswith("GIT_CONFIG")
    }
    assert setting(path, "http.proxy") == "http://127.0.0.1:3128"


def test_an_ssh_command_in_the_configuration_is_used(path, home):
    (home / ".gitconfig").write_text("[core]\n\tsshCommand = ssh -i key\n")

    assert "GIT_SSH_COMMAND" not in Checkout(path).env
    assert setting(path, "core.sshCommand") == "ssh -i key"


def test_of_the_users_configuration_only_what_is_safe_is_seen(path, home):
    (home / "more").write_text("[credential]\n\thelper = store\n")
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Grace\n[core]\n\thooksPath = /bad\n\tpager = /bad\n\teditor = /bad\n"
        '[filter "x"]\n\tsmudge = /bad\n[include]\n\tpath = more\n[alias]\n\tst = !bad\n'
        '[url "https://y.org/"]\n\tinsteadOf = y:\n[safe]\n\tdirectory = *\n'
        "[diff]\n\texternal = /bad\n"
    )

    for key in ("core.pager", "core.editor", "filter.x.smudge", "alias.st", "diff.external"):
        assert setting(path, key) == "unset"
    assert setting(path, "core.hooksPath") == os.devnull
    assert setting(path, "credential.helper") == "store"
    assert setting(path, "user.name") == "Grace"
    assert setting(path, "safe.directory") == "*"
    assert ask(path, "ls-remote", "--get-url", "y:site") == "https://y.org/site"


def test_nobody_turns_hooks_on(path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "/bad")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.hooksPath=/bad' 'http.proxy=http://p'")
    repos.git("config", "core.hooksPath", "/bad", cwd=path)

    assert setting(path, "core.hooksPath") == os.devnull
    assert setting(path, "http.proxy") == "http://p"


def test_the_repositorys_own_configuration_beats_the_users(path, home):
    (home / ".gitconfig").write_text("[http]\n\tproxy = http://user\n\tsslVerify = false\n")
    repos.git("config", "http.proxy", "http://own", cwd=path)

    assert setting(path, "http.proxy") == "http://own"
    assert setting(path, "http.sslVerify") == "false"


def test_an_operators_stall_limit_beats_ours(path, home):
    assert setting(path, "http.lowSpeedTime") == "20"

    (home / ".gitconfig").write_text("[http]\n\tlowSpeedTime = 60\n")

    assert setting(path, "http.lowSpeedTime") == "60"


@pytest.mark.parametrize(
    ("url", "own", "allowed"),
    [
        (None, None, "https:http:ssh:git:file"),
        ("https://x.org/x", None, "https:http:ssh:git"),
        ("https://x.org/x", "ssh:ext", "ssh"),
        ("https://x.org/x", "https:file", "https"),
        (None, "ssh:file", "ssh:file"),
    ],
)
def test_protocols_are_limited(path, monkeypatch, url, own, allowed):
    if url:
        repos.git("remote", "set-url", "origin", url, cwd=path)
    if own:
        monkeypatch.setenv("GIT_ALLOW_PROTOCOL", own)

    assert Checkout(path).env["GIT_ALLOW_PROTOCOL"] == allowed


def test_a_folder_behind_an_alias_is_a_folder(path, home, tmp_path):
    (home / ".gitconfig").write_text(f'[url "{tmp_path}/"]\n\tinsteadOf = https://x.org/\n')
    repos.git("remote", "set-url", "origin", "https://x.org/site.git", cwd=path)

    checkout = Checkout(path)

    assert checkout.with_files
    assert checkout.fetch_branch() == checkout.head_commit()


def test_without_a_home_git_works(path, monkeypatch):
    monkeypatch.delenv("HOME")

    assert Checkout(path).fetch_branch() == repos.head(path)


def test_secrets_of_the_configuration_are_in_no_argument(path, home):
    (home / ".gitconfig").write_text('[http "https://x.org"]\n\textraHeader = Token hunter2\n')

    finished = Checkout(path).git.run("version")

    assert "hunter2" not in " ".join(finished.args)
    assert setting(path, "http.https://x.org.extraHeader") == "Token hunter2"
