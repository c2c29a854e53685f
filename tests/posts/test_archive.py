"""The archive goes by years, and each of its pages stays small."""

from datetime import UTC, date, datetime, timedelta

import pytest

from posts.models import Post
from posts.views import NEWEST_IN_ARCHIVE, TITLES_A_PAGE
from tests.posts.blogs import index, make_markdown

pytestmark = pytest.mark.django_db


def make_posts(number: int, first: date, days: int) -> None:
    """Rows as the index would make them, `days` apart."""
    each_day = [first + timedelta(days=days * position) for position in range(number)]
    Post.objects.bulk_create(
        Post(path=f"{position}.md", title=f"A title of usual length, {position:04}",
             slug=f"p{position}", day=day,
             published_at=datetime(day.year, day.month, day.day, tzinfo=UTC),
             status="published", is_rendered=True)
        for position, day in enumerate(each_day)
    )  # fmt: skip


def read(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_the_archive_shows_the_newest_and_leads_to_every_year(client):
    make_posts(1000, date(2010, 1, 1), days=5)
    page = read(client, "/archive/")
    assert page.count("<time") == NEWEST_IN_ARCHIVE
    assert page.index("0999") < page.index("0998")
    assert "title of usual length, 0799" not in page
    for year in range(2010, 2024):
        assert f'href="/archive/{year}/"' in page
    assert len(page) < 100_000
    assert "Older posts stand under their years" in page


def test_a_year_lists_all_its_posts_and_no_others(client):
    make_posts(200, date(2010, 1, 1), days=5)
    page = read(client, "/archive/2011/")
    dates = {each.day for each in Post.objects.filter(day__year=2011)}
    assert page.count("<time") == len(dates) == 73
    assert '<h1 class="site-title">2011</h1>' in page
    assert (
        '<a href="/archive/2011/" aria-current="page">2011</a> <span class="site-count">73<' in page
    )
    assert '<a href="/archive/">Archive</a></p>' in page
    assert "Older posts stand" not in read(client, "/archive/")


def test_a_year_of_thousands_of_posts_goes_on(client):
    make_posts(1000, date(2012, 1, 1), days=0)
    pages = [read(client, f"/archive/2012/?page={number}") for number in (1, 2, 3)]
    assert [page.count("<time") for page in pages] == [TITLES_A_PAGE, TITLES_A_PAGE, 200]
    assert max(map(len, pages)) < 100_000
    assert client.get("/archive/2012/?page=4").status_code == 404


def test_what_waits_counts_in_no_year(tmp_path, client):
    index(tmp_path, **{
        "2015-01-01-a.md": make_markdown(),
        "2016-01-01-a.md": make_markdown(status="draft"),
        "a.md": make_markdown(date="0800-01-01"),
    })  # fmt: skip
    page = read(client, "/archive/")
    assert "/archive/2016/" not in page
    assert client.get("/archive/2016/").status_code == 404
    assert "/0800/01/01/a/" in read(client, "/archive/0800/")


def test_nikolas_links_lead_to_the_year(tmp_path, client):
    index(tmp_path, **{"2015-01-01-a.md": make_markdown(body="[y](link://archive/2015)")})
    assert 'href="/archive/2015/">y' in read(client, "/2015/01/01/a/")
