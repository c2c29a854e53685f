"""Files beside the posts: what is served, what never, and in parts."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.posts.blogs import index

pytestmark = pytest.mark.django_db


def test_files_beside_posts_are_served_and_sources_are_not(tmp_path, client, settings):
    settings.POSTS_DIR = tmp_path / "posts"
    index(settings.POSTS_DIR, **{"2016-01-01-a.md": "# A\n", "img/p.png": "png", "x.svg": "<svg/>"})
    (tmp_path / "outside.png").write_text("secret")
    (settings.POSTS_DIR / "link.png").symlink_to(tmp_path / "outside.png")
    (settings.POSTS_DIR / "_no.png").write_text("x")
    answer = client.get("/files/img/p.png")
    assert b"".join(answer.streaming_content) == b"png"
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert (
        client.get("/files/img/p.png", headers={"If-None-Match": answer["ETag"]}).status_code == 304
    )
    svg = client.get("/files/x.svg")
    assert "sandbox" in svg["Content-Security-Policy"]
    for path in ("2016-01-01-a.md", "../outside.png", "%2e%2e/outside.png", "link.png", "_no.png",
                 "img", "img/", ".git/config", "img//p.png", "/etc/passwd"):  # fmt: skip
        assert client.get(f"/files/{path}").status_code == 404, path


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("images/p.png", "images/p.png"),  # both
        ("images/p.thumbnail.png", "images/p.png"),  # Nikola's of a picture made small
        ("p.thumbnail.png", "p.thumbnail.png"),
        ("papers/a b.pdf", "files/papers/a b.pdf"),  # Nikola
        ("images/p.png", "content/images/p.png"),  # a whole project of Pelican's
    ],
)
def test_the_address_that_a_file_had_in_the_older_site_leads_to_it(
    tmp_path, client, settings, path, place
):
    settings.POSTS_DIR = tmp_path
    index(tmp_path, **{"2016-01-01-a.md": "# A\n", place: "x"})
    answer = client.get(f"/{path}")
    assert (answer.status_code, answer["Location"]) == (301, f"/files/{quote(place)}")
    assert client.get(answer["Location"]).status_code == 200
    assert client.get(f"/other/{path}").status_code == 404


@pytest.mark.parametrize("path", ["files/2016-01-01-b.md", "content/_p.png", "files/../p.png"])
def test_no_other_file_has_such_an_address(tmp_path, client, settings, path):
    settings.POSTS_DIR = tmp_path / "posts"
    index(settings.POSTS_DIR, **{"2016-01-01-a.md": "# A\n", path: "# B\n"})
    assert client.get(f"/{path.partition('/')[2]}").status_code == 404


@pytest.fixture
def film(tmp_path, settings):
    settings.POSTS_DIR = tmp_path
    (tmp_path / "film.mp4").write_bytes(b"0123456789")
    (tmp_path / "empty.mp4").write_bytes(b"")
    return "/files/film.mp4"


def read(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.parametrize(
    ("asked", "content", "told"),
    [
        ("bytes=0-1", b"01", "bytes 0-1/10"),
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=9-9", b"9", "bytes 9-9/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
        ("Bytes = 8-99", b"89", "bytes 8-9/10"),
    ],
)
def test_a_part_of_a_file_is_sent_to_who_asks_for_it(film, client, asked, content, told):
    answer = client.get(film, headers={"Range": asked})
    assert (answer.status_code, read(answer)) == (206, content)
    assert (answer["Content-Range"], answer["Content-Length"]) == (told, str(len(content)))
    assert answer["Content-Type"] == "video/mp4"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,4-5", "bytes=5-2", "bytes=x-", "bytes=-", "bytes=--1", "lines=0-1", "bytes=٣-",
     "", "bytes=" + "9" * 5000 + "-"],
)  # fmt: skip
def test_whoever_asks_for_parts_in_another_way_gets_the_whole(film, client, asked):
    answer = client.get(film, headers={"Range": asked})
    assert (answer.status_code, read(answer)) == (200, b"0123456789")
    assert (answer["Content-Length"], answer["Accept-Ranges"]) == ("10", "bytes")


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_part_past_the_end_is_refused_with_the_size(film, client, asked):
    answer = client.get(film, headers={"Range": asked})
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */10")
    assert read(answer) == b""


def test_an_empty_file_has_no_parts(film, client):
    for asked in ("bytes=0-", "bytes=-1"):
        assert client.get("/files/empty.mp4", headers={"Range": asked}).status_code == 416
    assert read(client.get("/files/empty.mp4")) == b""


def test_no_part_is_sent_of_another_version_than_the_reader_has(film, client, tmp_path):
    before = client.get(film)
    for known in (before["ETag"], before["Last-Modified"]):
        answer = client.get(film, headers={"Range": "bytes=0-1", "If-Range": known})
        assert (answer.status_code, read(answer)) == (206, b"01")
    (tmp_path / "film.mp4").write_bytes(b"abcdefghijkl")
    os.utime(tmp_path / "film.mp4", (1, 1))
    for known in (before["ETag"], before["Last-Modified"], 'W/"x"'):
        answer = client.get(film, headers={"Range": "bytes=0-1", "If-Range": known})
        assert (answer.status_code, read(answer)) == (200, b"abcdefghijkl")


def test_who_has_the_file_already_gets_304_whatever_part_was_asked_for(film, client):
    before = client.get(film)
    for headers in ({"If-None-Match": before["ETag"]}, {"If-None-Match": f'"x", {before["ETag"]}'},
                    {"If-Modified-Since": before["Last-Modified"]}):  # fmt: skip
        answer = client.get(film, headers={"Range": "bytes=0-1", **headers})
        assert (answer.status_code, answer["ETag"]) == (304, before["ETag"])


def test_the_head_of_a_file_tells_its_length_and_holds_nothing(film, client):
    answer = client.head(film)
    assert (answer.status_code, answer["Content-Length"]) == (200, "10")
    answer = client.head(film, headers={"Range": "bytes=2-4"})
    assert (answer.status_code, answer["Content-Length"], answer.content) == (206, "3", b"")


def test_a_file_is_closed_when_it_has_been_sent(film, client, tmp_path):
    def is_open() -> bool:
        handles = [handle for handle in Path("/proc/self/fd").iterdir() if handle.is_symlink()]
        return str(tmp_path / "film.mp4") in map(os.readlink, handles)

    for headers in ({}, {"Range": "bytes=0-1"}, {"Range": "bytes=99-"}):
        answer = client.get(film, headers=headers)
        assert is_open() == (answer.status_code != 416)
        read(answer)
        answer.close()
        assert not is_open(), headers
    answer = client.head(film)
    assert not is_open()
