"""The pages of the blog."""

from datetime import timedelta

import pytest
from django.utils import timezone

from posts.models import Post
from tests.posts.blogs import index, make_markdown, make_rst

pytestmark = pytest.mark.django_db


def make_many(number: int) -> dict[str, str]:
    return {
        f"2016-01-{day:02}-p{day}.md": make_markdown(f"Post {day}", tags="[x, 中文]")
        for day in range(1, number + 1)
    }


def test_front_page_lists_the_newest_first_and_goes_on(tmp_path, client):
    index(tmp_path, **make_many(12))
    first = client.get("/").content.decode()
    assert first.index("Post 12") < first.index("Post 11") < first.index("Post 3")
    assert "Post 2<" not in first
    assert 'href="?page=2"' in first
    assert "Post 2<" in client.get("/?page=2").content.decode()


@pytest.mark.parametrize("page", ["0", "3", "x", "-1", "9" * 5000])
def test_a_page_number_that_is_none_is_not_found(tmp_path, client, page):
    index(tmp_path, **make_many(12))
    assert client.get("/", {"page": page}).status_code == 404


def test_addresses_hold_any_script(tmp_path, client):
    index(tmp_path, **{"2016_06_19-分治 与.x.md": make_markdown("分治", tags="[机器 学习]")})
    assert client.get("/2016/06/19/分治-与.x/").status_code == 200
    assert "分治" in client.get("/tags/机器-学习/").content.decode()


def test_a_file_without_date_is_a_page_in_the_menu(tmp_path, client):
    index(tmp_path, **{"about.md": make_markdown("About me"), "2016-01-01-a.md": "# A\n"})
    assert b"About me" in client.get("/pages/about/").content
    front = client.get("/").content.decode()
    assert 'href="/pages/about/"' in front
    assert front.count("About me") == 1
    assert b"/pages/about/" in client.get("/sitemap.xml").content
    assert b"About me" not in client.get("/feed/").content


def test_scheduled_posts_appear_by_the_clock(tmp_path, client, monkeypatch):
    tomorrow = timezone.now() + timedelta(days=1)
    text = make_markdown("Later", date=f'"{tomorrow.isoformat()}"', tags="[t]")
    index(tmp_path, **{"later.md": text})
    post = Post.objects.get()
    addresses = [
        "/",
        "/feed/",
        "/rss/",
        "/sitemap.xml",
        "/archive/",
        "/tags/t/",
        "/search/?q=Later",
    ]
    for address in addresses:
        assert post.get_absolute_url() not in client.get(address).content.decode()
    assert client.get(post.get_absolute_url()).status_code == 404
    monkeypatch.setattr(timezone, "now", lambda: tomorrow + timedelta(minutes=1))
    for address in [*addresses, post.get_absolute_url()]:
        assert post.get_absolute_url() in client.get(address).content.decode(), address


@pytest.mark.parametrize("status", ["draft", "private"])
def test_drafts_are_seen_by_staff_alone(tmp_path, client, admin_client, status):
    index(tmp_path, **{"2016-01-01-a.rst": make_rst("Unripe", status=status)})
    post = Post.objects.get()
    assert client.get(post.get_absolute_url()).status_code == 404
    assert b"Unripe" not in client.get("/").content
    assert client.get(f"/drafts/{post.uid}/").status_code == 302
    answer = admin_client.get(f"/drafts/{post.uid}/")
    assert b"Unripe" in answer.content
    assert "no-store" in answer["Cache-Control"]
    assert b"Unripe" in admin_client.get("/drafts/").content


def test_hidden_posts_are_at_their_address_and_nowhere_else(tmp_path, client):
    index(tmp_path, **{"2016-01-01-a.rst": make_rst("Veiled", status="hidden", tags="t")})
    page = client.get("/2016/01/01/a/").content.decode()
    assert "Veiled" in page
    assert "noindex" in page
    for address in ("/", "/feed/", "/sitemap.xml", "/archive/", "/search/?q=Veiled", "/tags/"):
        assert b"/2016/01/01/a/" not in client.get(address).content


@pytest.mark.parametrize(
    "address",
    [
        "/articles/golang.html",
        "/2016/01/01/golang-trap-of-loops/",
        "/2016/01/02/golang_traps/",
        "/tags/memoization/",
        "/2019/05/05/动态规划/",
        "/2016/01/01/民科的动态规划.html/",
        "/blog/what-is-runtime.php",
    ],
)
def test_a_page_that_is_missing_offers_what_resembles_it(tmp_path, client, address):
    index(tmp_path, **{
        "2016-01-01-golang_traps.md": make_markdown("动态规划民科教程", "Memoization at runtime."),
        "2016-01-02-other.md": make_markdown("分治", "A text about what is not asked for."),
    })  # fmt: skip
    answer = client.get(address)
    assert answer.status_code == 404
    assert b'href="/2016/01/01/golang_traps/"' in answer.content
    assert b'href="/2016/01/02/other/"' not in answer.content


def test_a_page_that_is_missing_offers_a_search_for_its_words(tmp_path, client):
    index(tmp_path, **make_many(1))
    page = client.get("/2016/05/05/动态-规划_of_x.html/").content.decode()
    assert 'name="q" value="动态 规划 of x"' in page
    assert client.get("/2016/05/05/'%22%22)%20OR%20*%3A/").status_code == 404


def test_what_resembles_most_is_offered_first(tmp_path, client):
    index(tmp_path, **{
        f"2016-01-0{day}-p.md": make_markdown(title)
        for day, title in enumerate(["Git hooks by hand", "Git", "Hooks", "Git hooks"], start=1)
    })  # fmt: skip
    page = client.get("/git-hooks-by-hand-2/").content.decode()
    places = [page.index(f">{title}</a>") for title in ("Git hooks by hand", "Git hooks", "Hooks")]
    assert places == sorted(places)


def test_a_post_without_tags_is_related_to_those_of_similar_titles(tmp_path, client):
    index(tmp_path, **{
        "2016-01-01-a.md": make_markdown("动态规划民科教程"),
        "2016-01-02-b.md": make_markdown("Nothing alike"),
        "2016-01-03-c.md": make_markdown("Alike in nothing else"),
        "2016-01-04-d.md": make_markdown("再谈动态规划", tags="[x]"),
        "2016-01-05-e.md": make_markdown("动态规划", status="draft"),
        "2016-01-06-f.md": make_markdown("The end"),
    })  # fmt: skip
    related = client.get("/2016/01/01/a/").context["related"]
    assert [each.title for each in related] == ["再谈动态规划"]
    assert [each.title for each in client.get("/2016/01/02/b/").context["related"]] == [
        "Alike in nothing else"
    ]
    assert client.get("/2016/01/06/f/").context["related"] == []


def test_unchanged_pages_are_answered_with_304(tmp_path, client):
    index(tmp_path, **make_many(3))
    for address in ("/", "/2016/01/02/p2/", "/feed/", "/rss/", "/sitemap.xml", "/archive/"):
        answer = client.get(address)
        etag, changed = answer["ETag"], answer["Last-Modified"]
        assert client.get(address, headers={"If-None-Match": etag}).status_code == 304
        assert client.get(address, headers={"If-Modified-Since": changed}).status_code == 304
        assert "Set-Cookie" not in answer
        assert "Cookie" not in answer.get("Vary", "")


def test_neighbours_are_part_of_the_etag(tmp_path, client):
    index(tmp_path, **make_many(3))
    before = client.get("/2016/01/02/p2/")["ETag"]
    index(tmp_path, **{"2016-01-03-p3.md": make_markdown("Renamed neighbour")})
    assert client.get("/2016/01/02/p2/", headers={"If-None-Match": before}).status_code == 200


def test_a_post_of_the_year_800_can_be_opened(tmp_path, client):
    index(tmp_path, **{"a.md": make_markdown(date="0800-01-01")})
    assert Post.objects.get().get_absolute_url() == "/0800/01/01/a/"
    assert client.get("/0800/01/01/a/").status_code == 200


def test_what_is_searched_for_is_shown_without_control_characters(client):
    page = client.get("/search/?q=a%00b%01").content
    assert b'value="a b"' in page
    assert b"\x00" not in page and b"\x01" not in page


def test_posting_to_a_page_is_refused(client):
    assert client.post("/").status_code == 405


@pytest.mark.parametrize(
    ("asked", "address", "status"),
    [
        ("/hello-world.html", "/2016/05/05/hello-world/", 302),
        ("/posts/hello-world/", "/2016/05/05/hello-world/", 302),
        ("/posts/2016/05/hello-world/index.html", "/2016/05/05/hello-world/", 302),
        ("/what-is-it-part-2.html", "/2016/05/06/b/", 302),
        ("/dont-panic-ubergrosse-20-is-out.html", "/2016/05/07/c/", 302),
        ("/go-is-up.html", "/2016/05/08/d/", 302),
        ("/posts/2015/trip/", "/2015/01/01/trip/", 302),
        ("/posts/2016/trip/index.html", "/2016/01/01/trip/", 302),
        ("/pages/about-me.html", "/pages/me/", 302),
        ("/pages/pom.xml", "/pages/pom.xml/", 301),
        ("/pages/about.html", "/pages/about/", 302),
        ("/about/", "/pages/about/", 302),
        ("/rss.xml", "/rss/", 301),
        ("/feeds/all.atom.xml", "/feed/", 301),
        ("/archives.html", "/archive/", 301),
        ("/2016/", "/archive/2016/", 301),
        ("/2016/05/", "/archive/2016/", 301),
        ("/tag/中文.html", "/tags/%E4%B8%AD%E6%96%87/", 301),
        ("/category/C.html", "/categories/c/", 301),
        ("/categories/cat_c/", "/categories/c/", 301),
        ("/categories/中文/", "/tags/%E4%B8%AD%E6%96%87/", 301),
        ("/categories/中文.xml", "/tags/%E4%B8%AD%E6%96%87/rss/", 301),
        ("/categories/cat_c.atom", "/categories/c/feed/", 301),
        ("/authors/ann-lee.xml", "/authors/ann-lee/rss/", 301),
        ("/feeds/c.atom.xml", "/categories/c/feed/", 301),
        ("/feeds/ann-lee.rss.xml", "/authors/ann-lee/rss/", 301),
        ("/feeds/all-zh.atom.xml", "/feed/", 301),
        ("/images/p.png", "/files/images/p.png", 301),
        ("/index.html", "/", 301),
    ],
)
def test_addresses_of_other_tools_lead_to_what_they_meant(
    tmp_path, client, settings, asked, address, status
):
    settings.POSTS_DIR = tmp_path
    index(tmp_path, **{
        "images/p.png": "",
        "2016-05-05-hello-world.md": make_markdown(
            "Hello world", tags="[中文]", category="C", author="Ann Lee, Bo"
        ),
        "2016-05-06-b.md": make_markdown("What is it? Part 2"),
        "2016-05-07-c.md": make_markdown("Don't panic: Übergröße 2.0 is out!"),
        "2016-05-08-d.md": make_markdown("Go is up"),
        "pom.xml.md": make_markdown("Maven"),
        "content/posts/2015/trip.md": make_markdown("A trip", date="2015-01-01"),
        "posts/2016/trip.md": make_markdown("A trip", date="2016-01-01"),
        "about.md": "# About\n", "me.md": "# About me\n",
    })  # fmt: skip
    answer = client.get(asked)
    assert (answer.status_code, answer.headers.get("Location")) == (status, address)


@pytest.mark.parametrize(
    "asked",
    ["/tag/nope", "/category/x.html", "/2099/", "/author/x.html", "/categories/nope/",
     "/categories/nope.xml", "/feeds/x.atom.xml", "/authors/x.xml"],
)  # fmt: skip
def test_nobody_is_sent_to_a_list_of_nothing(tmp_path, client, asked):
    draft = make_markdown("A", status="draft", tags="[nope]", category="x", author="x")
    index(tmp_path, **{"2016-05-05-a.md": draft})
    assert client.get(asked, follow=True).status_code == 404


def test_an_address_that_two_posts_may_mean_leads_to_neither(tmp_path, client):
    posts = {f"2016-05-0{day}-same.md": make_markdown(f"Same {day}") for day in (1, 2)}
    index(tmp_path, **posts, **{"2016-05-03-b.md": make_markdown("B", aliases="[/c.html]")},
          **{"2016-05-04-c.md": make_markdown("C")})  # fmt: skip
    page = client.get("/same.html")
    assert page.status_code == 404
    assert "Same 1" in page.content.decode()
    assert client.get("/tags/same/").status_code == 404
    assert client.get("/c.html")["Location"] == "/2016/05/03/b/"


@pytest.mark.parametrize("asked", ["/2020/01/01/helo-wrld/", "/helo_wrld.html", "/hallo-wolrd"])
def test_a_mistyped_address_offers_what_is_near(tmp_path, client, asked):
    index(tmp_path, **{
        "2016-05-05-hello-world.md": make_markdown("Hello world"),
        "2016-05-06-a.md": make_markdown("Held back by word of mouth"),
    })  # fmt: skip
    page = client.get(asked, follow=True).content.decode()
    assert ">Hello world</a>" in page
    assert "Held back" not in page
