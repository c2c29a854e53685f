"""The canary: a real gunicorn with a small application, on a port of its own."""

import sys
from pathlib import Path

import psutil
import pytest

from deployhooks import canary, process

CONFIGURATION = """
import os
wsgi_app = "app"
bind = os.environ.get("GUNICORN_BIND", "127.0.0.1:0")
control_socket_disable = True
"""
APPLICATION = """
def application(environ, start_response):
    path = environ["PATH_INFO"]
    status = {"/": "200 OK", "/healthz": "200 OK", "/away": "302 Found"}.get(path, "500 Oh")
    print("asked by", environ["HTTP_HOST"], environ["HTTP_X_FORWARDED_PROTO"], flush=True)
    start_response(status, [("Content-Length", "0")])
    return []
"""


def run(
    folder: Path,
    *pages: str,
    application: str = APPLICATION,
    configuration: str = CONFIGURATION,
    timeout: str = "20",
):
    (folder / "blogsite").mkdir()
    (folder / "blogsite" / "gunicorn_conf.py").write_text(configuration)
    (folder / "app.py").write_text(application)
    args = [sys.executable, "-P", canary.__file__, "--host", "blog.example.org"]
    # As preflight runs it: what it leaves behind is ended with its process group.
    return process.run([*args, "--timeout", timeout, *pages], cwd=folder, timeout=60, check=False)


def processes_in(folder: Path) -> list[psutil.Process]:
    found = []
    for one in psutil.process_iter():
        try:
            if one.cwd() == str(folder):
                found.append(one)
        except psutil.Error:
            continue
    return found


def test_a_site_that_answers_passes_and_is_ended(tmp_path: Path):
    done = run(tmp_path, "/healthz", "/")
    assert done.returncode == 0, done.output
    assert "/ answers 200" in done.output
    assert "asked by blog.example.org https" in done.output
    assert processes_in(tmp_path) == []


@pytest.mark.parametrize("page", ["/broken", "/away"])
def test_a_page_that_does_not_answer_with_200_fails(tmp_path: Path, page: str):
    done = run(tmp_path, "/", page)
    assert done.returncode == 1
    assert f"canary: {page} answers" in done.output
    assert processes_in(tmp_path) == []


def test_a_site_that_does_not_start_fails_at_once(tmp_path: Path):
    done = run(tmp_path, "/", application="import a_package_that_is_missing")
    assert done.returncode == 1
    assert "No module named 'a_package_that_is_missing'" in done.output
    assert "the site does not start" in done.output


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ("workers = 'many'", "gunicorn cannot load its configuration"),
        ("import time; time.sleep(100)", "did not load its configuration within 2 s"),
    ],
)
def test_a_configuration_that_cannot_be_read_fails(tmp_path: Path, configuration: str, words: str):
    done = run(tmp_path, "/", configuration=CONFIGURATION + configuration, timeout="2")
    assert done.returncode == 1
    assert words in done.output
    assert processes_in(tmp_path) == []


def test_a_site_that_hangs_fails_in_time(tmp_path: Path):
    hanging = f"{APPLICATION}\nimport time; time.sleep(100)"
    done = run(tmp_path, "/", application=hanging, timeout="2")
    assert done.returncode == 1
    assert "did not start within 2 s" in done.output
    assert processes_in(tmp_path) == []


def test_a_configuration_that_works_only_in_a_trial_fails(tmp_path: Path, monkeypatch):
    """The live master has more workers and another address than the trial start."""
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    done = run(
        tmp_path, "/", configuration=f"{CONFIGURATION}1 // (os.environ['WEB_CONCURRENCY'] < '2')"
    )
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.output
