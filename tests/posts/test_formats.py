"""Files written for Pelican and Nikola are read unchanged: metadata, precedence, traps."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.urls import is_valid_path

from posts import headers, metadata, moments
from posts.rendering import Draft, render
from posts.scanning import scan


def read(tmp_path, name: str, text: str, **beside: str) -> Draft:
    (tmp_path / name).write_text(text, encoding="utf-8")
    for other, content in beside.items():
        (tmp_path / other).write_text(content, encoding="utf-8")
    folder = scan(tmp_path)
    rendered = render(folder, folder.posts[name], UTC)
    assert rendered.draft is not None, rendered.problems
    return rendered.draft


PELICAN_RST = """\
My super title
##############

:date: 2010-10-03 10:20
:modified: 2010-10-04 18:40
:tags: thats, awesome
:category: yeah
:slug: my-super-post
:authors: Alexis Metaireau, Conan Doyle
:summary: Short version for index and feeds
:status: published
:lang: en

Content, with a link to `another <{filename}/2011-01-01-b.md>`_.
"""

PELICAN_MARKDOWN = """\
Title: My super title
Date: 2010-12-03 10:20
Modified: 2010-12-05 19:30
Category: Python
Tags: pelican, publishing
Slug: my-super-post
Authors: Alexis Metaireau, Conan Doyle
Summary: Short version for index and feeds

This is the content.
"""

NIKOLA_RST = """\
.. title: How to make money
.. slug: how-to-make-money
.. date: 2012-09-15 19:52:05 UTC+02:00
.. tags: money, draft
.. category: economy
.. link:
.. description: A guide
.. type: text
.. previewimage: /img/coin.png
.. author: Roberto

The text of the post.

Only section
------------

More.
"""

NIKOLA_MARKDOWN = """\
<!--
.. title: How to make money
.. slug: how-to-make-money
.. date: 2012-09-15 19:52:05
.. tags: money
.. status: private
-->

The text.
"""

YAML_MARKDOWN = """\
---
title: "Quoted: title"
date: 2012-09-15T19:52:05+02:00
tags:
  - one
  - two
draft: true
---
Text.
"""

TOML_MARKDOWN = """\
+++
title = "In TOML"
date = 2012-09-15
tags = ["one", "two"]
+++
Text.
"""


def test_pelican_rst(tmp_path):
    draft = read(tmp_path, "x.rst", PELICAN_RST)
    assert draft.title == "My super title"
    assert draft.published_at == datetime(2010, 10, 3, 10, 20, tzinfo=UTC)
    assert draft.revised_at == datetime(2010, 10, 4, 18, 40, tzinfo=UTC)
    assert draft.tag_names == ["thats", "awesome"]
    assert (draft.category, draft.category_slug, draft.base_slug) == (
        "yeah",
        "yeah",
        "my-super-post",
    )
    assert draft.author == "Alexis Metaireau, Conan Doyle"
    assert draft.summary == "Short version for index and feeds"
    assert draft.language == "en"
    assert "awesome" not in draft.body
    assert draft.problems == []


def test_pelican_markdown(tmp_path):
    draft = read(tmp_path, "x.md", PELICAN_MARKDOWN)
    assert draft.title == "My super title"
    assert draft.published_at == datetime(2010, 12, 3, 10, 20, tzinfo=UTC)
    assert draft.tag_names == ["pelican", "publishing"]
    assert draft.author == "Alexis Metaireau, Conan Doyle"
    assert "Category" not in draft.body
    assert "This is the content." in draft.body


def test_nikola_one_file_rst(tmp_path):
    draft = read(tmp_path, "x.rst", NIKOLA_RST)
    assert draft.title == "How to make money"
    assert draft.published_at.utcoffset() == timedelta(hours=2)
    assert draft.status == "draft"
    assert (draft.tag_names, draft.category) == (["money"], "economy")
    assert (draft.summary, draft.author) == ("A guide", "Roberto")
    assert draft.image == "/img/coin.png"
    assert ".. " not in draft.body
    assert "<h2>Only section</h2>" in draft.body


def test_nikola_one_file_markdown(tmp_path):
    draft = read(tmp_path, "x.md", NIKOLA_MARKDOWN)
    assert (draft.title, draft.status) == ("How to make money", "private")
    assert draft.body.strip() == "<p>The text.</p>"


@pytest.mark.parametrize("extension", ["rst", "md"])
def test_nikola_two_files(tmp_path, extension):
    meta = ".. title: From the other file\n.. slug: other\n.. date: 2012-01-02 03:04:05\n"
    draft = read(tmp_path, f"x.{extension}", "Text.\n", **{"x.meta": meta})
    assert (draft.title, draft.base_slug, draft.day) == (
        "From the other file", "other", date(2012, 1, 2))  # fmt: skip


def test_nikola_two_files_in_the_older_way(tmp_path):
    meta = "Title\nslug\n2012/01/02 03:04\none, two\n\nAbout it\n"
    draft = read(tmp_path, "x.md", "Text.\n", **{"x.meta": meta})
    assert (draft.title, draft.tag_names, draft.summary) == ("Title", ["one", "two"], "About it")


def test_a_changed_meta_file_changes_the_post(tmp_path):
    (tmp_path / "x.md").write_text("Text.\n")
    (tmp_path / "x.meta").write_text(".. title: One\n")
    before = scan(tmp_path).posts["x.md"].digest
    (tmp_path / "x.meta").write_text(".. title: Two\n")
    assert scan(tmp_path).posts["x.md"].digest != before


def test_yaml_front_matter(tmp_path):
    draft = read(tmp_path, "x.md", YAML_MARKDOWN)
    assert (draft.title, draft.status) == ("Quoted: title", "draft")
    assert draft.published_at.isoformat() == "2012-09-15T19:52:05+02:00"
    assert draft.tag_names == ["one", "two"]


def test_toml_front_matter(tmp_path):
    draft = read(tmp_path, "x.md", TOML_MARKDOWN)
    assert (draft.title, draft.day, draft.tag_names) == (
        "In TOML", date(2012, 9, 15), ["one", "two"])  # fmt: skip


def test_metadata_beats_the_name_which_beats_the_heading(tmp_path):
    named = read(tmp_path, "2016_06_19-by_name.md", "# By heading\n")
    assert (named.title, named.base_slug, named.day) == (
        "By heading", "by_name", date(2016, 6, 19))  # fmt: skip
    told = read(
        tmp_path,
        "2016_06_20-by_name.md",
        "---\ntitle: Told\ndate: 2017-01-01\nslug: told\n---\n# By heading\n\nText.\n",
    )
    assert (told.title, told.base_slug, told.day) == ("Told", "told", date(2017, 1, 1))
    assert "By heading" in told.body


@pytest.mark.parametrize(
    ("name", "day", "slug"),
    [
        ("2016_06_19-use_hooks.rst", date(2016, 6, 19), "use_hooks"),
        ("2016-06-19-use-hooks.rst", date(2016, 6, 19), "use-hooks"),
        ("20160619-x.rst", date(2016, 6, 19), "x"),
        ("2016-06-19 With spaces.rst", date(2016, 6, 19), "With-spaces"),
        ("2016_06_19.rst", date(2016, 6, 19), "2016_06_19"),
        ("pep-0008.rst", None, "pep-0008"),
        ("2016_06_19-v1.2.rst", date(2016, 6, 19), "v1.2"),
        ("98765432.rst", None, "98765432"),
        ("1800-555512.rst", None, "1800-555512"),
    ],
)
def test_names_tell_day_and_slug(tmp_path, name, day, slug):
    draft = read(tmp_path, name, "T\n====\n\nText.\n")
    assert (draft.day, draft.base_slug) == (day, slug)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2016-06-19", datetime(2016, 6, 19)),
        ("2016/06/19 08:30", datetime(2016, 6, 19, 8, 30)),
        ("2016-06-19T08:30:15Z", datetime(2016, 6, 19, 8, 30, 15, tzinfo=UTC)),
        ("2016-06-19 08:30 UTC", datetime(2016, 6, 19, 8, 30, tzinfo=UTC)),
        (
            "2016-06-19 08:30:00 UTC+08:00",
            datetime(2016, 6, 19, 8, 30, tzinfo=timezone(timedelta(hours=8))),
        ),
        (
            "2016-06-19 08:30 -0330",
            datetime(2016, 6, 19, 8, 30, tzinfo=timezone(-timedelta(hours=3, minutes=30))),
        ),
        ("29-Sep-2014", datetime(2014, 9, 29)),
        ("September 29, 2014", datetime(2014, 9, 29)),
        ("2016年6月19日", datetime(2016, 6, 19)),
        ("Sun, 19 Jun 2016 08:30:00 +0000", datetime(2016, 6, 19, 8, 30, tzinfo=UTC)),
        ("3 May 2011 5pm", datetime(2011, 5, 3, 17)),
        ("May 3, 2011 5:07 p.m.", datetime(2011, 5, 3, 17, 7)),
        ("Tuesday, 3 May 2011 17:07:01", datetime(2011, 5, 3, 17, 7, 1)),
        ("2012-03-30_23:00", datetime(2012, 3, 30, 23)),
        (
            "2012/03/30 23:00:00 UTC-5",
            datetime(2012, 3, 30, 23, tzinfo=timezone(timedelta(hours=-5))),
        ),
        (
            "2013-01-01T00:00:00+08:00",
            datetime(2013, 1, 1, tzinfo=timezone(timedelta(hours=8))),
        ),
        ("03/04/2012", None),
        (date(2016, 6, 19), datetime(2016, 6, 19)),
        ("soon", None),
        ("2016-02-30", None),
    ],
)
def test_dates_in_the_ways_that_blogs_write_them(text, moment):
    assert moments.parse_moment(text) == moment


def test_values_that_make_no_sense_are_reported_with_their_line(tmp_path):
    draft = read(tmp_path, "x.md", "---\ntitle: T\ndate: soon\nstatus: pubished\n---\nText.\n")
    assert draft.problems == [
        {"line": 3, "message": '"soon" is no date that we can read; write it as 2016-06-19 20:30. '
                               "Not published before."},
        {"line": 4, "message": '"pubished" is no status; use published, draft, hidden or private. '
                               "Kept as a draft."},
    ]  # fmt: skip
    assert draft.status == "draft"


@pytest.mark.parametrize(
    ("line", "status"),
    [("published: false", "draft"), ("published: true", "published"), ("draft: true", "draft")],
)
def test_published_may_be_a_word_instead_of_a_date(tmp_path, line, status):
    draft = read(tmp_path, "2016-01-01-x.md", f"---\n{line}\n---\nText.\n")
    assert (draft.status, draft.day, draft.problems) == (status, date(2016, 1, 1), [])


def test_a_text_that_only_looks_like_metadata_is_text(tmp_path):
    draft = read(tmp_path, "x.md", "Note: this is no metadata.\n\nMore.\n")
    assert "Note: this is no metadata." in draft.text
    ruled = read(tmp_path, "y.md", "---\n\nBetween rules.\n\n---\n")
    assert "Between rules." in ruled.text


@pytest.mark.parametrize(
    "head",
    [
        "Template: wide\nTitle: T\nStatus: draft\n\n",
        "Save_as: x.html\nUrl: x\nStatus: draft\n\n",
        "Url: x\nStatus: draft\nTitle: T\n",
        "Title: T\nStatus: draft\n",
        "Title: T\nMy own key: x\nTags: a\n    b\n  Status: draft\n",
    ],
    ids=["unknown first", "save_as first", "url first", "no blank line", "own key"],
)
def test_a_draft_written_for_pelican_stays_one(tmp_path, head):
    draft = read(tmp_path, "x.md", f"{head}The first line.\n")
    assert (draft.status, draft.body.strip()) == ("draft", "<p>The first line.</p>")


@pytest.mark.parametrize(
    ("head", "text"),
    [
        ("Title: T\nWhat I think: it is text.\nMore.\n", "What I think: it is text.\nMore."),
        ("Title: T\nhttps://example.org/ is a place.\n", "https://example.org/ is a place."),
        ("Title: T\nSubtitle: S\n\nText.\n", "Text."),
        ("Title: T\n---\nText.\n", "Text."),
        ("Title: T\nTitle: U\n...\nText.\n", "Text."),
        ("Title: T\n\nNote: it is text.\n", "Note: it is text."),
    ],
    ids=["several words", "address", "own key", "dashes", "twice", "blank line"],
)
def test_a_header_ends_where_pelican_ends_it(tmp_path, head, text):
    draft = read(tmp_path, "x.md", head)
    assert (draft.title, draft.text, draft.problems) == ("T", text, [])


def test_a_word_and_colon_directly_below_the_metadata_is_told(tmp_path):
    draft = read(tmp_path, "x.md", "Title: T\nNote: it is lost.\nMore.\n")
    assert draft.text == "More."
    assert [(each["line"], "blank line" in each["message"]) for each in draft.problems] == [
        (2, True)
    ]


@pytest.mark.parametrize("tags", ["a, b\n    c", "a,\n    b,\n    c", "a; b\n    c"])
def test_tags_may_go_on_on_further_lines(tmp_path, tags):
    assert read(tmp_path, "x.md", f"Tags: {tags}\n\nText.\n").tag_names == ["a", "b", "c"]


def test_a_colon_within_a_value_between_dashes_is_read_as_pelican_reads_it(tmp_path):
    draft = read(tmp_path, "x.md", "---\nTitle: Python: a story\nStatus: draft\n---\nText.\n")
    assert (draft.title, draft.status, draft.text) == ("Python: a story", "draft", "Text.")
    in_rst = read(tmp_path, "y.rst", "---\nTitle: a: b\nSummary: c\n---\nText.\n")
    assert (in_rst.title, in_rst.text) == ("a: b", "Text.")
    with pytest.raises(headers.HeaderInvalid):
        headers.split_markdown("---\ntitle: a: b\ntags: [a, b\n---\nText.\n")


def test_a_heading_may_follow_the_metadata_at_once(tmp_path):
    draft = read(tmp_path, "x.md", "Tags: a\nStatus: draft\n# T\n\nSee [x](#gone).\n")
    assert (draft.status, draft.title, draft.tag_names) == ("draft", "T", ["a"])
    assert [each["line"] for each in draft.problems] == [5]


@pytest.mark.parametrize(
    "text",
    [
        "Title\n=====\n\nSubtitle\n--------\n\n:status: draft\n:tags: a\n\nText.\n",
        "Title\n=====\n\nSub\n---\n\n:status: draft\n:tags: a\n\nText.\n\nNext\n----\n\nMore.\n",
        "Title\n=====\n\n:status: draft\n:tags: a\n\nText.\n\nNext\n====\n\nMore.\n",
    ],
    ids=["subtitle", "subsection", "equal sections"],
)
def test_a_draft_with_its_fields_below_a_subtitle_stays_one(tmp_path, text):
    draft = read(tmp_path, "x.rst", text)
    assert (draft.title, draft.status, draft.tag_names) == ("Title", "draft", ["a"])
    assert ":" not in draft.text
    assert "status" not in draft.text


def test_fields_in_a_section_that_are_no_metadata_stay_there(tmp_path):
    draft = read(tmp_path, "x.rst", "Title\n=====\n\nOnly\n----\n\n:param x: a number\n\nText.\n")
    assert "param x" in draft.text


@pytest.mark.parametrize("slug", ["a/b", "../x", "a?b#c", "  ", ".."])
def test_slugs_are_one_segment_of_an_address(slug):
    meta, _ = metadata.interpret({"slug": slug})
    assert "/" not in meta.slug
    assert "?" not in meta.slug
    assert meta.slug.strip(".") == meta.slug or meta.slug not in (".", "..")


def test_tags_of_one_word_in_two_spellings_are_one():
    meta, _ = metadata.interpret({"tags": "Python, python, C++, C，中文"})
    assert meta.tags == ["Python", "C++", "C", "中文"]


def test_several_equal_sections_give_the_first_as_title(tmp_path):
    draft = read(
        tmp_path, "x.rst", "One\n===\n\nAn a.\n\nTwo\n===\n\nA b.\n\nThree\n=====\n\nA c.\n"
    )
    assert draft.title == "One"
    assert [each["text"] for each in draft.toc] == ["Two", "Three"]
    assert draft.text.startswith("An a.")


def test_a_single_subsection_stays(tmp_path):
    draft = read(tmp_path, "x.rst", "Title\n=====\n\nOnly\n----\n\nText.\n")
    assert (draft.title, [each["text"] for each in draft.toc]) == ("Title", ["Only"])


def test_windows_files_are_read(tmp_path):
    (tmp_path / "x.md").write_bytes("\ufeff# 标题\r\n\r\nText.\r\n".encode())
    folder = scan(tmp_path)
    assert render(folder, folder.posts["x.md"], UTC).draft.title == "标题"


@pytest.mark.parametrize(
    ("key", "limit"),
    [("title", 500), ("slug", 200), ("tags", 200), ("category", 200), ("series", 200),
     ("author", 300), ("image", 400), ("aliases", 200)],
)  # fmt: skip
def test_what_is_too_long_is_cut_and_told_with_its_line(tmp_path, key, limit):
    fits = read(tmp_path, "x.md", f"---\nlang: en\n{key}: {'x' * limit}\n---\nText.\n")
    assert not any("characters" in each["message"] for each in fits.problems)
    draft = read(tmp_path, "x.md", f"---\nlang: en\n{key}: {'x' * (limit + 1)}\n---\nText.\n")
    told = [each for each in draft.problems if " characters; " in each["message"]]
    assert [each["line"] for each in told] == [3]


def test_a_heading_that_is_too_long_is_cut_and_told_with_its_line(tmp_path):
    draft = read(tmp_path, "x.md", f'\n\n# Too "long" {"x" * 500}\n\nText.\n')
    assert len(draft.title) == 500
    assert [each["line"] for each in draft.problems] == [3]


@pytest.mark.parametrize("name", ["x" * 251, "文" * 83])
def test_a_long_file_name_is_the_slug_as_written(tmp_path, name):
    assert read(tmp_path, f"{name}.md", "Text.\n").base_slug == name


@pytest.mark.parametrize("alias", ["/", "https://old.example/", "/feed/", "/tags"])
def test_an_alias_that_cannot_work_is_told_with_its_line(tmp_path, alias):
    (tmp_path / "x.md").write_text(f"---\naliases:\n  - /a\n  - '{alias}'\n---\nText.\n")
    folder = scan(tmp_path)
    rendered = render(folder, folder.posts["x.md"], UTC)
    assert rendered.aliases == ["/a"]
    assert [(each.line, each.message.split()[0]) for each in rendered.problems] == [
        (4, f'"{alias}"')
    ]


def test_the_blog_answers_where_no_alias_may_be():
    assert all(
        is_valid_path(address) or is_valid_path(f"{address}/") for address in metadata.OWN_ADDRESSES
    )


@pytest.mark.parametrize("lang", ["xx-bogus", "english"])
def test_a_language_that_nobody_speaks_is_told_with_its_line(tmp_path, lang):
    draft = read(tmp_path, "a.md", f"---\ntitle: A\nlang: {lang}\n---\nWords.\n")
    told = f'"{lang}" is no language; write it as en or zh-Hans'
    assert draft.problems == [{"line": 3, "message": told}]
    assert draft.stated_language == ""


@pytest.mark.parametrize("lang", ["de", "zh_CN", "EN", "gsw"])
def test_languages_are_known_in_any_spelling(tmp_path, lang):
    draft = read(tmp_path, "a.md", f"---\nlang: {lang}\n---\n# A\n")
    assert (draft.problems, draft.stated_language) == ([], lang.replace("_", "-"))


@pytest.mark.parametrize("name", ["2016-01-01-a.md", "2016-01-01-a.rst"])
def test_an_empty_file_is_no_post(tmp_path, name):
    (tmp_path / name).write_text(" \n", encoding="utf-8")
    folder = scan(tmp_path)
    rendered = render(folder, folder.posts[name], UTC)
    assert rendered.draft is None
    assert [each.message for each in rendered.problems] == [
        "it is empty. Write something, or delete it."
    ]
