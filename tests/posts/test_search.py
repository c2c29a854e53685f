"""Search finds Chinese and Latin words, short and long, and is never stale."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from posts import guessing, search
from posts.index import index_posts
from posts.models import Post
from posts.runs import Run
from tests.posts.blogs import index, make_markdown

pytestmark = pytest.mark.django_db


@pytest.fixture
def blog(tmp_path):
    index(tmp_path, **{
        "2016-01-01-a.md": make_markdown("动态规划民科教程", "递归 and memoization, 100% of it."),
        "2016-01-02-b.md": make_markdown("Golang runtime", "一篇关于动态语言和 GC 的文章"),
        "2016-01-03-c.md": make_markdown("Unripe", "动态规划", status="draft"),
        "2016-01-04-d.md": make_markdown("Notes", "Golang, C++ and \"quotes\""),
    })  # fmt: skip
    return tmp_path


def titles(query: str) -> list[str]:
    return [post.title for post in search.find(query)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("动态规划", ["动态规划民科教程"]),
        ("动态", ["动态规划民科教程", "Golang runtime"]),
        ("态", ["动态规划民科教程", "Golang runtime"]),
        ("golang", ["Golang runtime", "Notes"]),
        ("GOLANG 动态", ["Golang runtime"]),
        ('"memoization, 100%"', ["动态规划民科教程"]),
        ("100%", ["动态规划民科教程"]),
        ("C++", ["Notes"]),
        ("GC", ["Golang runtime"]),
        ("nothing like that", []),
        ("", []),
        ("   ", []),
    ],
)
def test_words_are_found(blog, query, found):
    assert titles(query) == found


@pytest.mark.parametrize("query", ["travel notes", "蟒蛇", "The Tour", "ann lee"])
def test_what_a_post_belongs_to_finds_it(tmp_path, query):
    index(tmp_path, **{
        "2016-01-01-a.md": make_markdown("A", tags="[蟒蛇, x]", category="Travel notes",
                                         series="The tour", author="Ann Lee"),
        "2016-01-02-b.md": make_markdown("B"),
    })  # fmt: skip
    assert titles(query) == ["A"]


def test_what_posts_belong_to_makes_none_the_other_and_is_no_part_of_the_text(tmp_path, client):
    alike = {"tags": "[Microservices, Kubernetes]", "category": "Software architecture",
             "author": "Annabel Longname"}  # fmt: skip
    index(tmp_path, **{"2016-01-01-a.md": make_markdown("Apples", "Of apples.", **alike)})
    (tmp_path / "2016-01-01-a.md").unlink()
    index(tmp_path, **{"2016-01-02-b.md": make_markdown("Cars", "The next car.", **alike)})
    assert client.get("/2016/01/01/a/").status_code == 404
    page = client.get("/search/?q=kubernetes").content.decode()
    assert "The next car.…" in page
    assert "Annabel" not in page
    assert search.find('"car. Microservices"') == []


QUERIES = ['"', "AND", "a OR", "NEAR(", "title:", "*", "-x", "^", "x" * 900,
                                   "\0", "'; DROP TABLE posts_post; --", "%", "_",
                         "\\"]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_no_query_breaks_the_page(blog, client, query):
    assert client.get("/search/", {"q": query}).status_code == 200


@given(st.text(max_size=60))
def test_any_text_can_be_cut_into_terms(query):
    assert len(search.split_terms(query)) <= search.MAX_TERMS


def test_what_changed_is_found_anew_and_what_went_is_not(blog):
    index(blog, **{"2016-01-04-d.md": make_markdown("Notes", "Haskell instead")})
    assert titles("Haskell") == ["Notes"]
    assert titles("golang") == ["Golang runtime"]
    (blog / "2016-01-04-d.md").unlink()
    index_posts(blog)
    assert titles("Haskell") == []


def test_hits_are_marked(blog, client):
    page = client.get("/search/", {"q": "memoization"}).content.decode()
    assert "<mark>memoization</mark>" in page
    assert search.excerpt("a <b> c", ["<b>"]) == [("a ", False), ("<b>", True), (" c…", False)]


def test_words_tell_what_a_title_is_about():
    assert search.pick_words("使用 GitHub webhooks 的动态规划, 2016") == [
        "使用", "github", "webhooks", "的动态", "动态规", "态规划"]  # fmt: skip
    assert search.pick_words("How to use it, with C++ and node.js") == ["c++", "node"]


@given(st.text(max_size=60))
def test_whatever_the_address_something_or_nothing_resembles_it(text):
    if words := search.pick_words(text):
        list(search.resemble(Post.objects.listed(), words))
    guessing.guess(f"/{text}", guessing.read_name(f"/{text}"))


def test_posts_with_one_title_and_text_are_both_found_until_one_goes(tmp_path):
    index(tmp_path, **dict.fromkeys(("2016-01-01-a.md", "2016-01-02-b.md"), "# Twins\n"))
    assert len(search.find("Twins")) == 2
    (tmp_path / "2016-01-01-a.md").unlink()
    index(tmp_path)
    assert [post.path for post in search.find("Twins")] == ["2016-01-02-b.md"]


def test_what_was_prepared_is_found_by_nobody_before_its_post_has_come(tmp_path, monkeypatch):
    monkeypatch.setattr(search, "PIECE", 0)
    monkeypatch.setattr(search, "PAUSE", 0)
    index(tmp_path, **{"2016-01-01-a.md": "# Older words\n", "2016-01-02-b.md": "# Words\n"})
    search.prepare([("Newer words", ""), ("Unheard of", "")])
    assert search.find("Unheard") == search.find("Newer") == []
    words = search.pick_words("Newer words")
    assert len(search.resemble(Post.objects.listed(), words)) == 2
    index(tmp_path, **{"2016-01-01-a.md": "# Newer words\n"})
    assert [post.path for post in search.find("Newer")] == ["2016-01-01-a.md"]
    search.sweep()
    with connection.cursor() as cursor:
        cursor.execute("SELECT title FROM posts_search ORDER BY title")
        assert cursor.fetchall() == [("Newer words",), ("Words",)]


def test_nothing_is_left_to_make_findable_while_nobody_else_can_write(tmp_path, monkeypatch):
    """It takes milliseconds a post: for thousands the webhook would wait half a minute."""
    index(tmp_path, **{"2016-01-01-a.md": "# Words\n", "2016-01-02-b.md": "# Others\n"})
    original, fresh = Run.write, []

    def write(run):
        with CaptureQueriesContext(connection) as seen:
            report = original(run)
        fresh.extend(each["sql"] for each in seen if "INTO posts_search" in each["sql"])
        return report

    monkeypatch.setattr(Run, "write", write)
    index(tmp_path, **{"2016-01-01-a.md": "# Newer words\n"})
    assert [sql for sql in fresh if not sql.startswith("0 times")] == []
    assert [post.path for post in search.find("Newer")] == ["2016-01-01-a.md"]


def make_rows(number: int, path: str, title: str, **columns: object) -> None:
    """Rows as the index makes them, without its work."""
    now = timezone.now()
    columns = {"status": "published", "published_at": now, **columns}
    rows = [Post(path=f"{path}{at}.md", original=f"{path}{at}.md", title=title, text=f"{path}{at}",
                 slug=f"{path}{at}", is_rendered=True, day=now.date(), **columns,
                 search_key=search.key_of(title, f"{path}{at}"))
            for at in range(number)]  # fmt: skip
    Post.objects.bulk_create(rows)
    search.store(rows)


def test_drafts_take_no_place_of_a_post_that_resembles():
    make_rows(45, "draft", "zebra crossing zebra", status="draft")
    make_rows(45, "later", "zebra zebra", published_at=timezone.now() + timedelta(days=1))
    make_rows(2, "seen", "Of all that I saw on my way a zebra was the strangest by far")
    found = search.resemble(Post.objects.published(), ["zebra"])
    assert {post.path for post in found} == {"seen0.md", "seen1.md"}
    _, offered = guessing.guess("/zebras", "zebras")
    assert {post.path for post in offered} == {"seen0.md", "seen1.md"}


def test_the_post_of_that_name_comes_before_many_that_hold_it():
    make_rows(45, "python-a", "Python and its likes")
    make_rows(1, "some", "Something")
    Post.objects.filter(path="some0.md").update(slug="python")
    meant, offered = guessing.guess("/python.html", "python")
    assert offered[0].path == "some0.md"
    assert meant == offered[0].get_absolute_url()
