"""Every address in a feed is whole, however odd the post's HTML, and nothing else is changed."""

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posts import feeds, links, markup

SITE = "https://blog.example.org"
POST = f"{SITE}/2016/01/01/a/"


def complete(html: str) -> tuple[str, str]:
    """The body as the page shows it, and as a feed does."""
    page = markup.finish(html)
    body = links.fill(page.body, page.targets)
    return body, feeds.make_absolute(body, POST)


def read(html: str) -> tuple[list[tuple[str, str, str]], str]:
    """Attributes (element, name, value) and text, as a browser's parser understands them."""
    root = html5lib.parseFragment(html, namespaceHTMLElements=False)
    found = [
        (element.tag, str(name), value)
        for element in root.iter()
        if isinstance(element.tag, str)
        for name, value in element.attrib.items()
    ]
    return found, "".join(root.itertext())


def make_whole(value: str) -> str:
    if value.startswith("#"):
        return POST + value
    return SITE + value if value.startswith("/") and not value.startswith("//") else value


def assert_whole(html: str) -> list[str]:
    """Only addresses differ between page and feed, and only as they should."""
    before, after = map(read, complete(html))
    assert after[1] == before[1]
    addresses = {"href", "src", "poster", "cite"}
    assert after[0] == [
        (tag, name, make_whole(value) if name in addresses else value)
        for tag, name, value in before[0]
    ]
    return [value for _, name, value in after[0] if name in addresses]


@pytest.mark.parametrize(
    ("html", "addresses"),
    [
        ("<a href='/x'>", [f"{SITE}/x"]),
        ("<a href=/x>", [f"{SITE}/x"]),
        ('<A HREF = "/x" title="a > b">y</A>', [f"{SITE}/x"]),
        ('<a title="<a href=&quot;/no&quot;>" href="/x">y</a>', [f"{SITE}/x"]),
        ("<a title='\" href=\"/no' href='/x'>y</a>", [f"{SITE}/x"]),
        ('<img alt=" src=&quot;/no" src="/p.png">', [f"{SITE}/p.png"]),
        ('<img alt=\' src="/no"\' src="/p.png" srcset="/q.png 2x">', [f"{SITE}/p.png"]),
        ('<video poster="/p.png" src="/f.mp4"><source src="/g.webm"></video>',
         [f"{SITE}/p.png", f"{SITE}/f.mp4", f"{SITE}/g.webm"]),
        ('<blockquote cite="/x">q</blockquote>', [f"{SITE}/x"]),
        ('<a href="#end">y</a><a href="//cdn.example/">', [f"{POST}#end", "//cdn.example/"]),
        ('<a href="&#47;x">y</a><a href="&#35;x">y</a>', [f"{SITE}/x", f"{POST}#x"]),
        ('<a href="mailto:a@b.c">y</a>', ["mailto:a@b.c"]),
        ('<pre><code>&lt;a href="/x"&gt; &lt;img src="/y"&gt;</code></pre>', []),
        ('<![CDATA[<a href="/x">y</a>]]>', []),
        ('<!-- <a href="/x"> --><p>y</p>', []),
        ('<p data-x=\'<a href="/no">\'>y', []),
        ('<math><mtext title="<a href=&quot;/no&quot;>">y</mtext></math>', []),
        ("<a href=\"/x'y\">z</a>", [f"{SITE}/x'y"]),
        ('<a href="/a?b=1&amp;c=2">z</a>', [f"{SITE}/a?b=1&c=2"]),
    ],
)  # fmt: skip
def test_odd_html_is_made_whole(html, addresses):
    assert assert_whole(html) == addresses


PIECES = st.sampled_from([
    "<a ", "<img ", "<video ", "<p>", "</p>", "</a>", "<pre>", "</pre>", "<code>", "</code>",
    "<!--", "-->", "<![CDATA[", "]]>", "<script>", "</script>", "<textarea>", "<title>", "<style>",
    "<svg>", "<math>", "<mtext>", "href=", "src=", "poster=", "title=", "alt=", "cite=", '"', "'",
    "=", ">", "<", "/", "/x", "#y", "//z", " ", "&quot;", "&gt;", "&lt;", "&#47;", "&#34;", "text",
    "\n",
])  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_mixture_of_html_is_made_whole(html):
    assert_whole(html)
