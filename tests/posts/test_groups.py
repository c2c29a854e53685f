"""Tags and their like: each has an address of its own, found by its name too."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from posts import groups, reading
from tests.posts.blogs import get_post, index, make_markdown

pytestmark = pytest.mark.django_db

SLUGS = ["c", "c++", "c#", ".net", "net", "f#", "f", "c--", "a*", "a"]
SIMILAR = ["C", "C++", "C#", ".NET", "net", "F#", "F", "C--", "A*", "A"]


@pytest.fixture
def blog(tmp_path):
    index(tmp_path, **{
        f"2016-01-{day:02}-a.md": make_markdown(
            f"About {tag}", tags=f'["{tag}"]', category=f'"{tag}"'
        )
        for day, tag in enumerate(SIMILAR, start=1)
    })  # fmt: skip
    return tmp_path


def test_similar_names_stay_apart():
    assert [reading.slugify(tag) for tag in SIMILAR] == SLUGS
    assert reading.slugify("...and more") == "and-more"
    assert reading.slugify("what -- else-") == "what-else"
    assert reading.slugify(".") == "u+2e"


@pytest.mark.parametrize("folder", ["/tags/", "/categories/"])
def test_each_of_similar_tags_lists_its_own_posts(blog, client, folder):
    for tag, slug in (("C", "c"), ("C++", "c++"), ("C#", "c%23"), (".NET", ".net"), ("net", "net"),
                      ("C--", "c--"), ("A*", "a*")):  # fmt: skip
        page = client.get(f"{folder}{slug}/").content.decode()
        assert f'<h1 class="site-title">{tag}</h1>' in page
        assert page.count("site-entry-title") == 1
        assert f">About {tag}</a>" in page


@pytest.mark.parametrize(
    ("asked", "address"),
    [
        ("/tags/C++/", "/tags/c%2B%2B/"),
        ("/tags/C%23/", "/tags/c%23/"),
        ("/tags/.NET/", "/tags/.net/"),
        ("/tags/C--/", "/tags/c--/"),
        ("/tags/C++/feed/", "/tags/c%2B%2B/feed/"),
        ("/tags/C++/rss/", "/tags/c%2B%2B/rss/"),
        ("/categories/C++/", "/categories/c%2B%2B/"),
    ],
)
def test_a_tag_is_found_by_its_name_too(blog, client, asked, address):
    answer = client.get(asked)
    assert (answer.status_code, answer["Location"]) == (301, address)


def test_the_former_address_of_a_tag_with_a_dot_leads_to_it(tmp_path, client):
    index(tmp_path, **{"2016-01-01-a.md": make_markdown(tags='[".NET"]')})
    assert client.get("/tags/net/")["Location"] == "/tags/.net/"
    assert client.get("/tags/net/feed/")["Location"] == "/tags/.net/feed/"
    index(tmp_path, **{"2016-01-02-b.md": make_markdown(tags="[net]")})
    assert client.get("/tags/net/").status_code == 200


def test_a_tag_that_only_drafts_have_redirects_nobody(tmp_path, client):
    index(tmp_path, **{"2016-01-01-a.md": make_markdown(tags='[".NET"]', status="draft")})
    assert client.get("/tags/net/").status_code == 404
    assert client.get("/tags/.NET/").status_code == 404


def test_a_post_with_two_spellings_of_a_tag_is_listed_once(tmp_path, client):
    index(
        tmp_path,
        **{
            "2016-01-01-a.md": make_markdown(
                "Once", tags='["Machine learning", "machine-learning"]'
            )
        },
    )
    page = client.get("/tags/machine-learning/").content.decode()
    assert page.count(">Once</a>") == 1


def write_authors(root, **authors):
    index(root, **{
        f"2016-01-0{day}-{name}.md": make_markdown(name, author=f'"{value}"')
        for day, (name, value) in enumerate(authors.items(), start=1)
    })  # fmt: skip


def test_authors_have_pages_where_there_are_several(tmp_path, client):
    write_authors(tmp_path, a="Jane Doe", b="Jane Doe; 王小明", c="王小明", d="")
    page = client.get("/authors/jane-doe/").content.decode()
    assert '<h1 class="site-title">Jane Doe</h1>' in page
    assert [each in page for each in (">a</a>", ">b</a>", ">c</a>")] == [True, True, False]
    assert client.get("/authors/Jane Doe/")["Location"] == "/authors/jane-doe/"
    assert b">c</title>" not in client.get("/authors/jane-doe/feed/").content
    assert client.get("/authors/王小明/rss/").status_code == 200
    post = client.get("/2016/01/02/b/").content.decode()
    assert 'href="/authors/jane-doe/">Jane Doe</a>, <a' in post
    assert 'href="/authors/jane-doe/"' in client.get("/tags/").content.decode()


def test_nothing_is_counted_that_no_page_shows(tmp_path):
    write_authors(tmp_path, a="Ann", b="Ann; Ric")
    with CaptureQueriesContext(connection) as seen:
        groups.find_group("ann", groups.AUTHOR)
    assert [each["sql"] for each in seen if "COUNT(" in each["sql"]] == []


def test_the_only_author_is_no_link(tmp_path, client):
    write_authors(tmp_path, a="Jane", b="jane", c="")
    assert b"/authors/" not in client.get("/2016/01/01/a/").content + client.get("/tags/").content
    write_authors(tmp_path, a="Jane", b="Ric")
    assert b'href="/authors/jane/"' in client.get("/2016/01/01/a/").content


def test_a_link_to_an_author_without_posts_is_told(tmp_path):
    link = make_markdown("L", "[x]({author}Jane)")
    assert len(index(tmp_path, **{"2016-01-09-l.md": link}).problems) == 1
    write_authors(tmp_path, a="Jane")
    assert get_post("2016-01-09-l.md").site_problems == []


def test_series_stand_beside_tags_and_categories(tmp_path, client):
    for day, name in ((1, "a"), (2, "b")):
        text = make_markdown(name, series="A tour", category="C", tags="[x]")
        index(tmp_path, **{f"2016-01-0{day}-{name}.md": text})
    page = client.get("/tags/").content.decode()
    shown = {"/series/a-tour/": "A tour", "/categories/c/": "C", "/tags/x/": "x"}
    for address, name in shown.items():
        link = f'<a class="site-tag" href="{address}">{name}</a>'
        assert f'{link} <span class="site-count">2</span>' in page


@pytest.mark.parametrize("fields", [{"status": "draft"}, {"status": "hidden"}])
def test_a_post_that_no_list_shows_links_to_none(tmp_path, admin_client, fields):
    text = make_markdown("A", tags="[lonely]", category="Lonely", **fields)
    index(tmp_path, **{"2016-01-01-a.md": text})
    page = admin_client.get(f"/drafts/{get_post('2016-01-01-a.md').uid}/").content.decode()
    assert '<span class="site-tag">lonely</span>' in page
    assert 'href="/tags/lonely/"' not in page
    assert 'href="/categories/lonely/"' not in page
    page = admin_client.get("/2016/01/01/a/").content.decode()
    assert 'href="/tags/lonely/"' not in page
