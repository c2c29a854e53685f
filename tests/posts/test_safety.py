"""What a post may not do, whoever wrote it."""

import re
from html.parser import HTMLParser

import pytest

from posts import links, markdown, markup, rst
from posts.sanitizing import sanitize
from tests.posts.blogs import index, make_rst

SECRET = "root-of-all-evil"


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "secret.svg"
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg"><text>{SECRET}</text></svg>')
    return path


class Attributes(HTMLParser):
    """Every tag and attribute of a page, as a browser would read them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append(f"<{tag}")
        self.found += [f"{name}={value}".lower() for name, value in attrs]


def assert_harmless(html: str) -> None:
    for found in Attributes(html).found:
        assert not re.match(r"<(script|iframe|form|input|style|svg|base|meta|object|embed)", found)
        assert not re.match(r"on\w+=|style=|http-equiv=", found)
        assert not re.match(r"(href|src|poster)=\s*(javascript|data|vbscript):", found)


def show_rst(text: str) -> str:
    return markup.finish(rst.render(text).html).body


def show_markdown(text: str) -> str:
    return markup.finish(markdown.render(text).html).body


@pytest.mark.parametrize("scheme", ["", "file://", "file:"])
@pytest.mark.parametrize("directive", ["image", "figure"])
def test_no_local_file_is_embedded(secret_file, scheme, directive):
    html = show_rst(f".. {directive}:: {scheme}{secret_file}\n   :loading: embed\n")
    assert SECRET not in html
    assert "data:" not in html


def test_no_local_file_is_embedded_by_a_substitution(secret_file):
    html = show_rst(f"A |x| b.\n\n.. |x| image:: {secret_file}\n   :loading: embed\n")
    assert SECRET not in html
    assert "<img" in html


@pytest.mark.parametrize(
    "text",
    [
        ".. include:: {}",
        ".. literalinclude:: {}",
        ".. raw:: html\n   :file: {}",
        ".. csv-table::\n   :file: {}",
        ".. code::\n   :include: {}",
    ],
)
def test_no_local_file_is_included(secret_file, text):
    assert SECRET not in show_rst(text.format(secret_file) + "\n")


@pytest.mark.parametrize(
    "text",
    [
        ".. raw:: html\n\n   <b>kept</b><script>alert(1)</script><p onclick='alert(1)'>x",
        ".. role:: h(raw)\n   :format: html\n\n:h:`<b onclick=x>kept</b><script>x</script>`",
    ],
)
def test_raw_html_in_rst_is_shown_without_its_script(text):
    document = rst.render(text + "\n")
    html = markup.finish(document.html).body
    assert "<b>kept</b>" in html
    assert_harmless(html)
    assert document.problems == []


@pytest.mark.parametrize(
    "text",
    [
        "`x <javascript:alert(1)>`_",
        "`x <JaVaScRiPt:alert(1)>`_",
        ".. image:: javascript:alert(1)",
        ".. image:: data:text/html;base64,PHNjcmlwdD4=",
        ".. figure:: data:image/svg+xml,<svg/onload=alert(1)>",
        ".. meta::\n   :http-equiv=refresh: 0;url=javascript:alert(1)",
    ],
)
def test_rst_brings_no_script(text):
    assert_harmless(show_rst(text + "\n"))


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "<javascript:alert(1)>",
        "![x](data:image/svg+xml;base64,AAAA)",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)></svg>",
        "<iframe src=//evil.example></iframe>",
        '<a href="&#106;avascript:alert(1)">x</a>',
        "<form action=/admin/><input name=x></form>",
        '<p style="position:fixed">x</p>',
        "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
        "<base href=//evil.example>",
    ],
)
def test_markdown_brings_no_script(text):
    assert_harmless(show_markdown(text))


def test_a_post_cannot_pose_as_a_part_of_the_page():
    html = show_markdown(
        '<div id="site-main" class="site-header">x</div>\n\n<div role="banner">y</div>'
    )
    assert html.count("<div>") == 2


def test_an_id_of_the_page_is_not_taken_by_a_heading():
    assert 'id="section-site-main"' in show_markdown("# x\n\n## site-main\n")


def test_marks_of_links_cannot_be_forged():
    from posts.source import clean

    assert "\ufdd0" not in clean("a \ufdd00\ufdd1 b")


@pytest.mark.parametrize(
    "html",
    [
        show_markdown('<p title="&#xfdd0;99&#xfdd1;">hi</p>\n'),
        show_markdown("<p>&#xfdd0;99&#xfdd1;</p>\n"),
        show_rst("A |x| b.\n\n.. |x| unicode:: 0xFDD0 0x37 0xFDD1\n"),
    ],
    ids=["attribute", "text", "unicode"],
)
def test_marks_of_links_cannot_be_named_either(html):
    assert not re.search("[\ufdd0\ufdd1]", html)


def test_a_mark_without_address_leads_nowhere():
    assert links.fill(f'<a href="{links.mark(7)}">x</a>', ["/a/"]) == '<a href="">x</a>'


@pytest.mark.django_db
def test_a_post_that_names_a_mark_takes_no_page_down(tmp_path, client):
    index(tmp_path, **{
        "2016-01-01-a.md": '# A\n\n<p title="&#xfdd0;99&#xfdd1;">hi</p>\n',
        "2016-01-02-b.rst": make_rst(body="|x|\n\n.. |x| unicode:: 0xFDD0 0x37 0xFDD1"),
    })  # fmt: skip
    for address in ("/feed/", "/rss/", "/2016/01/01/a/", "/2016/01/02/b/"):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize(("html", "is_kept"), [
    ('<a href="#x" role="doc-noteref">', True),
    ('<div role="doc-footnote">', True),
    ('<div role="doc-biblioentry">', False),
    ('<li role="doc-endnote">', False),
    ('<p role="doc-toc">', False),
    ('<a href="#x" role="presentation">', False),
])  # fmt: skip
def test_roles_are_kept_where_they_may_stand(html, is_kept):
    assert ("role=" in sanitize(html)) == is_kept


def test_a_citation_is_an_entry_without_a_role_of_its_own():
    page = markup.finish(rst.render("See [Knu84]_.\n\n.. [Knu84] A book\n").html)
    assert "A book" in page.body
    assert "doc-biblioentry" not in page.body
