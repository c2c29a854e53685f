"""What counts as a page of the site, and on which line a link is told that leads to none."""

import pytest
from django.apps import apps

from posts.answers import digest_urls
from posts.checking import check_posts
from posts.index import index_posts
from tests.posts.blogs import get_post, index, make_markdown, messages, write_posts

pytestmark = pytest.mark.django_db


def tell(root, *links: str, **fields: str) -> list[str]:
    """What a deploy and a check at home say, which is the same."""
    body = "\n".join(f"[x]({link})" for link in links)
    report = index(root, **{
        "2016-01-01-a.md": make_markdown("A", body, **fields),
        "2016-01-02-b.md": make_markdown("B", "## End"),
    })  # fmt: skip
    found = messages(report)
    assert [f"{path}:{each.line}: {each.message}" for path, each in check_posts(root)] == found
    return found


def test_parts_of_every_page_and_words_to_look_for_are_no_lost_headings(tmp_path):
    b = "2016-01-02-b.md"
    assert tell(tmp_path, f"{b}#end", f"{b}#", f"{b}#top", f"{b}#site-content", f"{b}#:~:text=x",
                "/.well-known/security.txt") == []  # fmt: skip


def test_a_link_is_told_on_the_line_where_it_stands_by_itself(tmp_path):
    assert tell(tmp_path, "2016-01-02-b.md#none", "#none") == [
        "2016-01-01-a.md:3: the link 2016-01-02-b.md#none leads to no heading of 2016-01-02-b.md",
        "2016-01-01-a.md:4: the link #none leads to no heading",
    ]


@pytest.mark.parametrize("status", ["draft", "private"])
def test_what_visitors_cannot_open_may_link_to_lists_that_are_to_come(tmp_path, status):
    links = ["{tag}mine", "/tags/mine/", "/nowhere.html"]
    assert tell(tmp_path, *links, status=status, tags="mine") == [
        "2016-01-01-a.md:9: the link /nowhere.html leads nowhere"
    ]


SITE = "https://blog.example"


def test_links_with_the_sites_own_address_are_looked_at_too(tmp_path, settings):
    settings.SITE_URL = SITE
    good = [SITE, f"{SITE}/?q=1", f"{SITE}/2016/01/02/b/#end", f"{SITE}.evil.example/none"]
    assert tell(tmp_path, *good, "https://x.example/none") == []
    assert tell(tmp_path, f"{SITE}/nowhere", f"{SITE}/2016/01/02/b/#none", "about:x") == [
        f"2016-01-01-a.md:3: the link {SITE}/nowhere leads nowhere",
        f"2016-01-01-a.md:4: the link {SITE}/2016/01/02/b/#none leads to no heading of "
        "2016-01-02-b.md",
    ]
    settings.SITE_URL = "https://other.example"
    assert tell(tmp_path, f"{SITE}/nowhere", f"{SITE}/2016/01/02/b/#none", "about:x") == []


def test_what_another_post_loses_is_told_of_such_links(tmp_path, settings):
    settings.SITE_URL = SITE
    assert tell(tmp_path, f"{SITE}/2016/01/02/b/#end", image="https://x.example/p.png") == []
    report = index(tmp_path, **{"2016-01-02-b.md": make_markdown("B", "## Other")})
    assert messages(report) == [
        f"2016-01-01-a.md:6: the link {SITE}/2016/01/02/b/#end leads to no heading of "
        "2016-01-02-b.md"
    ]


def test_a_year_without_posts_is_no_page_of_the_archive(tmp_path):
    links = ["/archive/2016/", "link://archive/2016", "/archive/", "/archive/1999/"]
    assert tell(tmp_path, *links) == ["2016-01-01-a.md:6: the link /archive/1999/ leads nowhere"]
    write_posts(tmp_path, **{"1999-01-01-c.md": make_markdown("C")})
    index_posts(tmp_path)
    assert get_post("2016-01-01-a.md").site_problems == []
    index(tmp_path, **{"1999-01-01-c.md": make_markdown("C", status="draft")})
    assert get_post("2016-01-01-a.md").site_problems != []


def test_a_draft_may_link_to_an_address_that_is_its_own(tmp_path):
    fields = {"status": "draft", "aliases": "[/old.html]"}
    assert tell(tmp_path, "/old.html", "/archive/2031/", **fields) == []
    other = index(tmp_path, **{"2016-01-03-c.md": make_markdown("C", "[x](/old.html)")})
    assert messages(other) == ["2016-01-03-c.md:3: the link /old.html leads nowhere"]


def test_links_are_looked_at_again_when_the_site_answers_otherwise(tmp_path, monkeypatch):
    assert tell(tmp_path, "/search/") == []
    monkeypatch.setattr("posts.answers.find_view", lambda path: None)
    index(tmp_path)
    assert get_post("2016-01-01-a.md").site_problems == []
    monkeypatch.setattr("posts.linking.digest_urls", lambda: "other addresses")
    assert messages(index(tmp_path)) == ["2016-01-01-a.md:3: the link /search/ leads nowhere"]


def test_the_digest_of_the_addresses_changes_with_them(tmp_path, monkeypatch):
    before = digest_urls()
    assert digest_urls() == before
    (tmp_path / "urls.py").write_text("urlpatterns = []\n")
    monkeypatch.setattr(apps.get_app_config("posts"), "path", str(tmp_path))
    assert digest_urls() != before
