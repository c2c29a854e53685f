"""A blog written for Pelican 4.12 looks here as it does there, feature by feature."""

from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from posts.index import index_posts
from posts.rendering import render
from posts.scanning import scan
from tests.posts.blogs import get_post
from tests.posts.test_formats import read

HEAD = "Title: T\nDate: 2012-03-30 23:00\n"


def read_in(tmp_path, path, text):
    folder = tmp_path / path.rpartition("/")[0]
    folder.mkdir(parents=True, exist_ok=True)
    return read(tmp_path, path, text)


@pytest.mark.parametrize(
    ("path", "category"),
    [
        ("cooking/x.md", "cooking"),
        ("blog/cooking/x.md", "cooking"),
        ("x.md", ""),
        ("2012/x.md", ""),
        ("content/x.md", ""),
        ("content/cooking/x.md", "cooking"),
    ],
)
def test_a_post_without_category_has_its_folders(tmp_path, path, category):
    assert read_in(tmp_path, path, HEAD + "\nText.\n").category == category
    in_rst = path.replace(".md", ".rst")
    assert read_in(tmp_path, in_rst, "T\n=\n\n:date: 2012-03-30\n\nText.\n").category == category


def test_the_category_that_a_post_names_beats_its_folder(tmp_path):
    assert read_in(tmp_path, "a/x.md", f"{HEAD}Category: b\n\nText.\n").category == "b"


def test_folders_of_other_posts_are_no_categories(tmp_path):
    assert read_in(tmp_path, "a/2012_03_30-x.rst", "T\n===\n\nText.\n").category == ""
    assert read_in(tmp_path, "a/x.md", "---\ntitle: T\n---\nText.\n").category == ""


@pytest.mark.parametrize("top", ["", "content/"])
def test_what_lies_among_the_pages_is_a_page_in_spite_of_its_date(tmp_path, top):
    page = read_in(tmp_path, f"{top}pages/about.md", HEAD + "\nText.\n")
    assert (page.day, page.published_at, page.category) == (None, None, "")
    assert page.revised_at == datetime(2012, 3, 30, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Doe, Jane; Roe, Ric", "Doe, Jane; Roe, Ric"),
        ("Jane Doe, Ric Roe", "Jane Doe, Ric Roe"),
        ("Jane Doe; Ric Roe", "Jane Doe, Ric Roe"),
    ],
)
def test_authors_whose_names_have_commas_stay_apart(tmp_path, written, shown):
    assert read(tmp_path, "x.md", f"{HEAD}Authors: {written}\n\nText.\n").author == shown
    assert read(tmp_path, "y.rst", f"T\n=\n\n:authors: {written}\n\nText.\n").author == shown


def test_the_addresses_that_a_post_had_there_lead_to_it(tmp_path):
    (tmp_path / "x.md").write_text(HEAD + "Url: soup/\nSave_as: soup/index.html\n\nText.\n")
    (tmp_path / "y.md").write_text(HEAD + "Url:\nSave_as: index.html\n\nText.\n")
    (tmp_path / "z.md").write_text(HEAD + "Url: https://example.org/elsewhere\n\nText.\n")
    folder = scan(tmp_path)
    aliases = {path: render(folder, each, UTC).aliases for path, each in folder.posts.items()}
    assert aliases == {"x.md": ["/soup/", "/soup/index.html"], "y.md": ["/index.html"], "z.md": []}


def test_a_post_to_skip_is_shown_to_nobody(tmp_path):
    draft = read(tmp_path, "x.md", HEAD + "Status: skip\n\nText.\n")
    assert (draft.status, draft.problems) == ("draft", [])


def test_a_summary_is_shown_as_words(tmp_path):
    head = HEAD + "Summary: How to **bake**, and [where](https://example.org/) `it` is.\n"
    assert read(tmp_path, "x.md", head + "\nText.\n").summary == "How to bake, and where it is."


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("## Sub {#own}", '<h2 id="own">Sub</h2>'),
        ("## Sub {: #own .wide }", '<h2 id="own">Sub</h2>'),
        ("Sub {#own}\n-----", '<h2 id="own">Sub</h2>'),
        ("A note.\n{: .note }", '<p class="note">A note.'),
        ("HTML and XHTML.\n\n*[HTML]: A \"language\"",
         '<p><abbr title="A &quot;language&quot;">HTML</abbr> and XHTML.</p>'),
        ("`HTML`\n\n*[HTML]: A language", "<p><code>HTML</code></p>"),
        ('<div class="note" markdown="1">\n*inside*\n</div>',
         '<div class="note">\n<p><em>inside</em></p>\n</div>'),
        ('<div>\n*inside*\n</div>', "<div>\n*inside*\n</div>"),
        ("*a*{: .b } c", "<p><em>a</em> c</p>"),
        ("A set {x} of {#1}.", "<p>A set {x} of {#1}.</p>"),
        ("[TOC]\n\nText.", "<p>Text.</p>"),
        ('[a]({author}Jane Doe) ![b]({static}my b.png "t")',
         'a</a> <img alt="b" loading="lazy" src="\ufdd01\ufdd1" title="t">'),
        ('~~~~{.python hl_lines="1" linenos="table"}\nd = 4\n~~~~', '<span class="linenos">1'),
        ('![pot](p.png){: .align-right width="60" }', ' class="align-right" width="60"'),
    ],
)  # fmt: skip
def test_markdown_has_the_extras_of_python_markdown(tmp_path, text, html):
    body = read(tmp_path, "x.md", f"{HEAD}\n{text}\n").body
    assert body.strip().startswith(html) or html in body
    assert "{:" not in body


@pytest.mark.django_db
@pytest.mark.parametrize("top", ["", "content/"])
def test_links_in_all_its_spellings_lead_to_posts_files_and_lists(tmp_path, top):
    """Also where a whole project of its is in the repository."""
    folder = tmp_path / top
    (folder / "images").mkdir(parents=True)
    (folder / "images/pot.png").write_bytes(b"")
    (folder / "cooking").mkdir()
    (folder / "cooking/b.md").write_text(HEAD + "Slug: bread\nAuthor: Jane\nTags: flour\n\nText.\n")
    targets = {
        "{filename}b.md": "/2012/03/30/bread/",
        "{filename}/cooking/b.md#end": "/2012/03/30/bread/#end",
        "|filename|b.md": "/2012/03/30/bread/",
        "{static}/images/pot.png": f"/files/{top}images/pot.png",
        "{attach}../images/pot.png": f"/files/{top}images/pot.png",
        "{filename}/images/pot.png": f"/files/{top}images/pot.png",
        "{tag}flour": "/tags/flour/",
        "{category}Cooking": "/categories/cooking/",
        "{index}": "/",
        "{author}Jane": "/authors/jane/",
    }
    lines = "\n".join(f"- [x](<{target}>)" for target in targets)
    (folder / "cooking/a.md").write_text(f"{HEAD}\n{lines}\n")
    assert links_of(tmp_path, f"{top}cooking/a.md") == targets


def links_of(root, path):
    """By target, where the links of the post lead."""
    index_posts(root)
    post = get_post(path)
    return {unquote(each["target"]): url for each, url in zip(post.links, post.urls, strict=True)}
