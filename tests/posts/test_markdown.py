"""Markdown that other tools read otherwise, or not at all."""

import re

import pytest

from posts import markdown
from tests.posts.blogs import get_post, index, messages


@pytest.mark.parametrize("text", [
    "\n".join(f"{'   ' * depth}1. words {depth}" for depth in range(10)),
    "\n".join(f"{'  ' * depth}- words {depth}" for depth in range(60)),
    "> " * 120 + "words 9",
])  # fmt: skip
def test_lists_and_quotations_may_be_deep(text):
    assert "words 9" in markdown.render(text).html


@pytest.mark.django_db
def test_what_is_nested_too_deep_is_told_and_the_last_good_version_stays(tmp_path):
    index(tmp_path, **{"2016-01-01-a.md": "# A\n\nGood words.\n"})
    report = index(tmp_path, **{"2016-01-01-a.md": "# A\n\n" + "> " * 250 + "inner words\n"})
    told = "it is nested too deep (lists, quotes, brackets). Make it flatter."
    assert messages(report) == [f"2016-01-01-a.md:1: {told}"]
    assert "Good words." in get_post("2016-01-01-a.md").body


@pytest.mark.parametrize(("options", "numbers"), [
    ('{ .python linenums="1" hl_lines="2" }', ["1", "2"]),
    ('{.python linenums="7"}', ["7", "8"]),
    ("python linenums=True", ["1", "2"]),
    ("python linenums=False", []),
    ("python linenos=none", []),
])  # fmt: skip
def test_lines_are_numbered_as_python_markdown_is_told_to(options, numbers):
    html = markdown.render(f"``` {options}\na = 1\nb = 2\n```\n").html
    assert re.findall(r'class="linenos">\s*(\d+)<', html) == numbers
    assert ("hll" in html) == ("hl_lines" in options)
