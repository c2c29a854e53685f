"""README and .env.example tell the truth."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text()
READ_BY_DJANGO = {"DJANGO_SETTINGS_MODULE"}
# Set by one process for another, never by a person.
INTERNAL = {"ENV_FILE", "POSTS_PREVIEW"}


def find_variables() -> set[str]:
    sources = ["blogsite/settings.py", "blogsite/gunicorn_conf.py", "blogsite/start.py"]
    text = "".join((PROJECT / name).read_text() for name in sources)
    found = re.findall(r'env\.\w+\(\s*"([A-Z_]+)"|environ\.get\(\s*"([A-Z_]+)"', text)
    return {name for pair in found for name in pair if name} - READ_BY_DJANGO - INTERNAL


def test_the_example_lists_each_variable_that_is_read_and_no_other():
    listed = set(re.findall(r"^#?([A-Z_]+)=", (PROJECT / ".env.example").read_text(), re.M))
    assert listed == find_variables() | {"VENV_DIR"}


def test_the_readme_names_each_variable_of_deploys_and_posts():
    named = set(re.findall(r"`([A-Z_]+)`", README))
    assert {v for v in find_variables() if v.startswith(("DEPLOY_", "POSTS_"))} <= named


def test_the_readme_names_each_command_and_no_other():
    ours = {name for name, app in get_commands().items() if app in ("deployhooks", "posts")}
    ours -= {"watch_deploys", "qcluster"}
    table = README.split("## Commands")[1].split("\n## ")[0]
    assert set(re.findall(r"`([a-z_]+)(?: [^`]*)?`", table)) == ours


@pytest.mark.parametrize("name", re.findall(r"\]\(([^):#]+)\)", README))
def test_what_the_readme_links_to_is_there(name: str):
    assert (PROJECT / name).exists()
