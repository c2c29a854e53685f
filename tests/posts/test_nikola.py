"""A blog written for Nikola 8.3 looks here as it does there, feature by feature."""

import re
import time

import pytest

from posts import shortcodes
from posts.index import index_posts
from posts.literal import Code
from posts.models import Post
from posts.placement import wished_slug
from tests.posts.blogs import get_post, index, messages, write_posts
from tests.posts.test_formats import read
from tests.posts.test_pelican import links_of

HEAD = ".. title: T\n.. slug: my-day\n.. date: 2012-03-30 23:00\n"
IN_COMMENT = f"<!--\n{HEAD}-->\n"
VIDEO = "https://www.youtube.com/watch?v=8N_tupPBtWQ"


def show_markdown(tmp_path, text):
    return read(tmp_path, "x.md", f"{IN_COMMENT}\n{text}\n")


def show_rst(tmp_path, text):
    return read(tmp_path, "x.rst", f"{HEAD}\n{text}\n")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("{{% youtube 8N_tupPBtWQ %}}", f'<a href="{VIDEO}">{VIDEO}</a>'),
        ('{{% youtube id="8N_tupPBtWQ" width=400 %}}', f'<a href="{VIDEO}">{VIDEO}</a>'),
        ("{{% vimeo id=20241459 %}}", 'href="https://vimeo.com/20241459"'),
        ("{{% gist 2395294 %}}", 'href="https://gist.github.com/2395294"'),
        ("{{% media url=https://example.org/v %}}", 'href="https://example.org/v"'),
        ("{{% doc %}}the trip <b>{{% /doc %}}", ">the trip</a>"),
        ("`{{% raw %}}{{% youtube x %}}{{% /raw %}}`", "<code>{{% youtube x %}}</code>"),
    ],
)
@pytest.mark.parametrize("show", [show_markdown, show_rst])
def test_shortcodes_become_what_they_name(tmp_path, show, text, html):
    draft = show(tmp_path, text.replace("`", "``"))
    assert html in draft.body
    assert draft.problems == []


@pytest.mark.parametrize(
    ("show", "text"),
    [
        (show_markdown, "```\n{}\n```"),
        (show_markdown, "`{}`"),
        (show_markdown, "Text\n\n    {}\n    {{% /doc %}}"),
        (show_rst, "``{}``"),
        (show_rst, "Text::\n\n   {}\n\n   {{% /doc %}}"),
        (show_rst, ".. code-block:: text\n\n   {}"),
    ],
)
def test_a_shortcode_within_code_is_an_example_of_itself(tmp_path, show, text):
    draft = show(tmp_path, "{{% doc %}}an <x>{{% /doc %}}\n\n" + text.replace("{}", "{{% doc %}}"))
    assert "{{% doc %}}" in draft.text
    assert [each["target"] for each in draft.links] == ["x"]


@pytest.mark.parametrize(
    ("show", "text"),
    [
        (show_markdown, "- item\n\n    {{% vimeo 1 %}}"),
        (show_rst, ".. note::\n\n   {{% vimeo 1 %}}"),
        (show_rst, "- item\n\n  {{% vimeo 1 %}}"),
    ],
)
def test_what_is_indented_is_not_always_code(tmp_path, show, text):
    assert 'href="https://vimeo.com/1"' in show(tmp_path, text).body


def test_code_within_a_list_is_code(tmp_path):
    draft = show_rst(tmp_path, "- .. code-block:: python\n\n     x = 1\n\n- y")
    assert "x = 1" in draft.text


def test_formulas_are_found_where_mathjax_looks(tmp_path):
    draft = show_markdown(tmp_path, r"A \\(a\_1\\) and \\[b\\] but `\\(c\\)` and \\( alone.")
    assert draft.body.count("<math") == 2
    assert "<msub>" in draft.body
    assert r"\\(c\\)" in draft.body


def test_places_have_names_as_in_older_html(tmp_path):
    draft = show_rst(tmp_path, '.. raw:: html\n\n   <a name="old">x</a>\n\n`y <#old>`_')
    assert ('<a id="old">x</a>' in draft.body, draft.problems) == (True, [])


def test_a_thumbnail_is_the_picture_with_its_caption(tmp_path):
    text = '{{% thumbnail "/images/p.png" alt="Rome" title="T" %}}The city{{% /thumbnail %}}'
    draft = show_markdown(tmp_path, text)
    assert "<figcaption>The city</figcaption></figure>" in draft.body
    assert 'alt="Rome"' in draft.body
    assert draft.text == "The city"
    assert draft.links == [{"target": "/images/p.png", "line": 7}]


@pytest.mark.parametrize("show", [show_markdown, show_rst])
def test_lists_of_posts_are_no_text_and_numbers_of_charts_stay(tmp_path, show):
    draft = show(tmp_path, "{{% post-list start=0 stop=2 %}}\n{{% /post-list %}}\n\nEnd")
    assert (draft.text, draft.problems) == ("End", [])
    chart = show(tmp_path, "{{% chart Bar title='B' %}}\n'Firefox', [1, 2]\n{{% /chart %}}")
    assert chart.text == "'Firefox', [1, 2]"


def test_an_unknown_shortcode_stays_and_is_told_with_its_line(tmp_path):
    text = "{{% chart Bar %}}\n1\n{{% /chart %}}\n\nA {{% unheard-of x %}} word."
    draft = show_markdown(tmp_path, text)
    assert "A {{% unheard-of x %}} word." in draft.text
    assert [each["line"] for each in draft.problems] == [11]


def test_shortcodes_of_other_tools_are_text(tmp_path):
    draft = read(tmp_path, "x.md", "---\ntitle: T\n---\n`{{% youtube x %}}`\n")
    assert (draft.text, draft.problems) == ("{{% youtube x %}}", [])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (".. youtube:: 8N_tupPBtWQ\n   :width: 400", VIDEO),
        (".. vimeo:: 20241459\n   :height: 240", "https://vimeo.com/20241459"),
        (".. gist:: 2395294", "https://gist.github.com/2395294"),
        (".. soundcloud:: 78131362", "https://api.soundcloud.com/tracks/78131362"),
        (".. media:: https://example.org/v", "https://example.org/v"),
        (".. post-list::\n   :start: 0\n   :stop: 2\n\nEnd", "End"),
        (".. TEASER_END: read on\n\nEnd", "End"),
        (".. chart:: Bar\n   :title: 'B'\n   :x_labels: [1]\n\n   'F', [1, 2]\n   'C', [3, 4]",
         "B\n'F', [1, 2]\n'C', [3, 4]"),
        (".. thumbnail:: /images/p.png\n   :alt: Rome\n\n   The city", "The city"),
    ],
)  # fmt: skip
def test_directives_show_what_they_name(tmp_path, text, shown):
    draft = show_rst(tmp_path, text)
    assert (draft.text, draft.problems) == (shown, [])


@pytest.mark.parametrize(
    ("show", "end"),
    [
        (show_rst, ".. TEASER_END"),
        (show_rst, ".. TEASER_END: Read on"),
        (show_markdown, "<!-- TEASER_END -->"),
        (show_markdown, "<!-- PELICAN_END_SUMMARY -->"),
        (show_markdown, "<!--more-->"),
    ],
)
def test_a_teaser_is_the_summary(tmp_path, show, end):
    draft = show(tmp_path, f"One *two*.\n\nThree.\n\n{end}\n\nFour.")
    assert draft.summary == "One two. Three."
    assert "TEASER" not in draft.body
    assert show(tmp_path, f"One.\n\n``{end}``").summary == "One."
    assert show_rst(tmp_path, "One.\n\nTwo.\n\n.. more on this later").summary == "One."
    text = f"{HEAD}.. description: Said.\n\nOne.\n\nTwo.\n\n.. TEASER_END\n"
    assert read(tmp_path, "y.rst", text).summary == "Said."


def test_the_original_site_is_linked_and_no_summary(tmp_path):
    draft = read(tmp_path, "x.rst", f"{HEAD}.. link: https://example.org/a\n\nText.\n")
    assert '<a href="https://example.org/a">https://example.org/a</a>' in draft.body
    assert draft.summary == "Text."
    evil = read(tmp_path, "y.rst", f"{HEAD}.. link: javascript:x\n\nText.\n")
    assert "javascript" not in evil.body


@pytest.mark.django_db
def test_text_in_the_folders_of_posts_is_restructuredtext(tmp_path):
    index(tmp_path, **{
        "posts/2012/one.txt": HEAD + "Some *text*, `a <two.txt>`_ and `b <two>`_.\n",
        "posts/2012/two.txt": "Some *text*.\n",
        "posts/2012/two.meta": ".. title: Two\n.. slug: two\n.. date: 2013-03-30\n",
        "posts/2012/two.de.txt": "Ein *Text*.\n",
        "pages/about.txt": ".. title: About\n\nMe.\n",
        "notes.txt": "Not for you.\n",
        "posts/code/hello.txt": "Nor is code.\n",
        "posts/readme.txt": "Nor this.\n",
    })  # fmt: skip
    posts = {post.path: post for post in Post.objects.all()}
    assert sorted(posts) == [
        "pages/about.txt", "posts/2012/one.txt", "posts/2012/two.de.txt", "posts/2012/two.txt"
    ]  # fmt: skip
    assert "<em>text</em>" in posts["posts/2012/two.txt"].body
    assert posts["posts/2012/one.txt"].urls == ["/2013/03/30/two/"] * 2
    assert posts["posts/2012/two.de.txt"].get_absolute_url() == "/2013/03/30/two-de/"
    assert posts["pages/about.txt"].get_absolute_url() == "/pages/about/"


@pytest.mark.django_db
def test_links_by_slug_lead_to_posts(tmp_path):
    (tmp_path / "rome.rst").write_text(HEAD + ".. tags: italy\n.. category: travel\n\nText.\n")
    targets = {
        "link://slug/my-day": "/2012/03/30/my-day/",
        "link://filename/rome.rst": "/2012/03/30/my-day/",
        "link://tag/italy": "/tags/italy/",
        "link://category/travel": "/categories/travel/",
        "link://archive/2012": "/archive/",
        "my-day": "/2012/03/30/my-day/",
        "../my-day/": "/2012/03/30/my-day/",
        "/papers/a.pdf": "/files/files/papers/a.pdf",
    }
    (tmp_path / "files/papers").mkdir(parents=True)
    (tmp_path / "files/papers/a.pdf").touch()
    lines = "\n".join(f"- `{n} <{target}>`_" for n, target in enumerate(targets))
    text = lines.replace("`5 <my-day>`_", ":doc:`that <my-day>`")
    (tmp_path / "x.rst").write_text(f".. title: U\n.. date: 2013-01-01\n\n{text}\n")
    found = links_of(tmp_path, "x.rst")
    assert found.pop("link://archive/2012").startswith("/archive/")
    targets.pop("link://archive/2012")
    assert found == targets


@pytest.mark.parametrize(
    ("name", "slug", "language"),
    [
        ("madrid.zh_cn.md", "my-day-zh-cn", "zh-cn"),
        ("2012_03_30-madrid.pt-BR.md", "my-day-pt-br", "pt-BR"),
        ("madrid.v2.md", "my-day", ""),
        ("madrid.md", "my-day", ""),
        ("madrid.pl.md", "my-day-pl", "pl"),
    ],
)
def test_a_translation_has_its_language_and_an_address_of_its_own(tmp_path, name, slug, language):
    other = f"{name.partition('.')[0]}.fr.md"
    draft = read(tmp_path, name, f"{IN_COMMENT}\nText.\n", **{other: "Texte.\n"})
    assert (wished_slug(draft), draft.language) == (slug, language)


@pytest.mark.parametrize("name", ["madrid.zh_cn.md", "2024_01_06-using.ts.md"])
@pytest.mark.parametrize(
    "others", [(), ("other.fr.md", "madrid.fr.rst"), ("2024_01_06-using.cs.md",)]
)
def test_a_name_alone_makes_no_translation(tmp_path, name, others):
    draft = read(tmp_path, name, f"{IN_COMMENT}\nText.\n", **dict.fromkeys(others, "Text.\n"))
    assert (wished_slug(draft), draft.language, draft.is_translation) == ("my-day", "", False)


def test_a_translation_in_two_files_is_one_too(tmp_path):
    draft = read(
        tmp_path,
        "madrid.de.md",
        "Text.\n",
        **{"madrid.fr.md": "Texte.\n", "madrid.de.meta": ".. title: T\n"},
    )
    assert (wished_slug(draft), draft.language) == ("madrid-de", "de")


def test_a_dot_in_the_name_of_other_posts_is_no_language(tmp_path):
    draft = read(tmp_path, "2012_03_30-just.do.it.md", "# T\n\nText.\n")
    assert (draft.base_slug, draft.language) == ("just.do.it", "")


CODE = "import os\n\ndef f():\n    return '<b>'\n"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("x.rst", ".. listing:: hello.py python\n   :number-lines: 5", ["5", "6", "7", "8"]),
        ("x.rst", ".. listing:: hello.py python\n   :start-line: 2", []),
        ("x.rst", ".. include:: listings/hello.py\n   :code: python\n   :number-lines:",
         list("1234")),
        ("x.rst", ".. literalinclude:: hello.py\n   :language: python\n   :lines: 3-4\n   :linenos:"
                  , ["1", "2"]),
        ("x.rst", "{{% listing hello.py python linenumbers=True %}}", list("1234")),
        ("x.md", "{{% listing hello.py python linenumbers=True %}}", list("1234")),
    ],
)  # fmt: skip
def test_code_in_a_file_of_its_own_is_shown(tmp_path, name, text, shown):
    head = f"{HEAD}\n" if name == "x.rst" else IN_COMMENT
    report = index(tmp_path, **{"listings/hello.py": CODE, name: f"{head}\n{text}\n"})
    html = get_post(name).html
    assert re.findall(r'class="linenos">\s*(\d+)', html) == shown
    assert '<span class="k">def</span>' in html
    assert "<b>" not in html
    assert report.problems == []


@pytest.mark.django_db
def test_a_post_follows_the_code_that_it_shows(tmp_path):
    index(
        tmp_path, **{"listings/hello.py": CODE, "x.rst": f"{HEAD}\n.. listing:: hello.py python\n"}
    )
    index(tmp_path, **{"listings/hello.py": "changed = 1\n"})
    assert "changed" in get_post("x.rst").html
    incremental = get_post("x.rst").urls
    index_posts(tmp_path, everything=True)
    assert get_post("x.rst").urls == incremental
    (tmp_path / "listings/hello.py").unlink()
    assert messages(index(tmp_path)) == [
        "x.rst:5: hello.py is no text of 32 KB at most in a folder called listings or code"
    ]
    assert "<code>hello.py</code>" in get_post("x.rst").html


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["../secret.py", "/etc/passwd", "x.rst", "conf.py", "listings/b.bin"]
)
def test_no_other_file_is_shown_as_code(tmp_path, path):
    posts = tmp_path / "posts"
    (tmp_path / "secret.py").write_text("SECRET")
    write_posts(posts, **{"conf.py": "SECRET", "listings/a.py": "", "listings/b.bin": ""})
    (posts / "listings/b.bin").write_bytes(b"SECRET\xff")
    report = index(posts, **{"x.rst": f"{HEAD}\n.. listing:: {path}\n"})
    assert "SECRET" not in get_post("x.rst").html
    assert len(report.problems) == 1


def test_finding_code_takes_no_time_however_it_is_written():
    started_at = time.process_time()
    for text in ("`" * 50_000, "~~~a\nx\n" * 10_000, "```\n" * 10_000, "`a" * 20_000):
        Code(text, is_rst=False)
    assert time.process_time() - started_at < 2


def test_many_shortcodes_take_no_longer_each():
    text = "{{% x %}}" * 16_000 + "{{% /x %}}" * 16_000
    started = time.process_time()
    shortcodes.expand(text, is_rst=False, first_line=1)
    assert time.process_time() - started < 3


def test_a_closing_too_many_ends_nothing():
    text = "{{% /raw %}}{{% raw %}}{{% doc %}}{{% /raw %}}"
    assert shortcodes.expand(text, is_rst=False, first_line=1)[0] == "{{% doc %}}"
