"""Real posts of one author and sixteen PEPs: all appear, as they were meant."""

import re
from datetime import date
from pathlib import Path
from unicodedata import east_asian_width

import pytest

from posts.index import index_posts
from posts.models import Post

pytestmark = pytest.mark.django_db


def read_first_heading(path: Path) -> str:
    line = path.read_text(encoding="utf-8").lstrip().splitlines()[0]
    return line.removeprefix("# ").strip()


def test_every_post_of_the_corpus_appears_with_its_title_and_date(shared, client):
    folder = shared / "corpus" / "blog"
    report = index_posts(folder)
    files = sorted(path for path in folder.iterdir() if path.suffix in (".rst", ".md"))
    assert len(files) == len(report.added) == Post.objects.published().count() > 60
    assert report.broken == []
    for file in files:
        year, month, day, name = re.match(r"(\d+)_(\d+)_(\d+)-(.+)\.", file.name).groups()
        post = Post.objects.get(path=file.name)
        assert post.title == read_first_heading(file)
        assert post.day == date(int(year), int(month), int(day))
        assert post.get_absolute_url() == f"/{year}/{month}/{day}/{name}/"
        page = client.get(post.get_absolute_url())
        assert page.status_code == 200
        old = client.get(f"/articles/{file.name}.html")
        assert (old.status_code, old["Location"]) == (301, post.get_absolute_url())


def test_problems_of_the_corpus_name_file_and_line(shared):
    report = index_posts(shared / "corpus" / "blog")
    lines = [f"{path}:{problem.line}: {problem.message}" for path, problem in report.problems]
    assert (
        "2015_03_17-declaration_of_c_pointers.rst:43: "
        "Inline emphasis start-string without end-string." in lines
    )
    assert "2016_08_25-ukulele.rst:4: the link img/ukulele.jpg leads nowhere" in lines
    # Mixed up "-" and "_" is forgiven; these lead where they should.
    assert not [line for line in lines if "2016_06_19" in line or "2015_09_05" in line]
    post = Post.objects.get(path="2016_06_18-write_blog_with_tornado_and_rst.rst")
    assert 'href="/2016/06/19/use_github_webhooks/"' in post.html


def test_peps_are_pages_of_their_day_without_an_error(shared):
    report = index_posts(shared / "corpus" / "peps")
    assert len(report.added) == 16
    assert [problem for problem in report.problems if "leads" not in problem[1].message] == []
    post = Post.objects.get(path="pep-0484.rst")
    assert post.title == "PEP 484 – Type Hints"
    assert post.author == "Guido van Rossum, Jukka Lehtosalo, Łukasz Langa"
    assert post.day == date(2014, 9, 29)
    assert post.status == Post.Status.PUBLISHED
    assert "Discussions-To" not in post.html
    assert 'href="https://peps.python.org/pep-3107/"' in post.html


def test_chinese_text_has_no_spaces_where_its_lines_end(shared):
    index_posts(shared / "corpus" / "blog")
    text = Post.objects.get(path="2016_06_19-use_github_webhooks.rst").text
    assert (
        "再加上我采取的方式是把原来的写博客的repo作为这个项目的submodule。每次手动那就更加麻烦了"
        in text
    )
    assert east_asian_width(text[0]) == "W"
