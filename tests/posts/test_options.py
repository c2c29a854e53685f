"""Directives with options that docutils does not take keep what they show."""

import pytest

from posts import rst
from posts.problems import Problem


def show(text: str) -> tuple[str, list[Problem]]:
    document = rst.render(text, has_title=True)
    return document.html, document.problems


@pytest.mark.parametrize(("head", "body", "shown"), [
    (".. math::\n   :label: eq1\n   :nowrap:", "a^2", "<msup>"),
    (".. note::\n   :collapsible:", "words", "<p>words</p>"),
    (".. rubric:: words\n   :heading-level: 2", "", "words"),
    (".. seealso::\n   :open:", "words", "words"),
])  # fmt: skip
def test_options_of_sphinx_are_passed_over(head, body, shown):
    html, problems = show(f"{head}\n\n   {body}\n")
    assert shown in html
    assert problems == []


@pytest.mark.parametrize(("head", "body", "shown"), [
    ("figure:: a.png", "words", "<figcaption>"),
    ("image:: a.png", "", "<img"),
    ("list-table:: words", "* - a\n     - b", "<td>"),
    ("csv-table:: words", "a,b", "<td>"),
    ("table:: words", "== ==\n   a  b\n   == ==", "<td>"),
    ("topic:: words", "b", "<p>b</p>"),
    ("admonition:: words", "b", "<p>b</p>"),
    ("parsed-literal::", "b", "<pre"),
    ("thumbnail:: a.png", "", "<img"),
])  # fmt: skip
def test_an_unknown_option_is_told_and_left_out(head, body, shown):
    html, problems = show(f"Before.\n\n.. {head}\n   :zebra: 1\n\n   {body}\n")
    assert shown in html
    name = head.partition(":")[0]
    complaint = f'"{name}" directive: unknown option "zebra"; it is left out.'
    assert problems == [Problem(3, complaint)]


def test_an_option_that_cannot_be_read_is_told_and_left_out():
    html, problems = show(".. figure:: a.png\n   :width: wide\n   :alt: Words\n\n   Caption\n")
    assert 'alt="Words"' in html
    assert "Caption" in html
    told = '"figure" directive: the option "width" cannot be "wide"; it is left out.'
    assert problems == [Problem(1, told)]


@pytest.mark.parametrize("text", [
    "==== ===\nwords b\nc\n==== ====\n",
    ".. note::\n   :two words: x\n\n   words\n",
    ".. note::\n\n   words\n   =====\n",
])  # fmt: skip
def test_what_docutils_cannot_read_is_shown_as_written(text):
    html, problems = show(text)
    assert "words" in html
    assert len(problems) == 1
