"""Small pictures: made once for each content, within limits, and nothing but the picture."""

import io
import os
import struct
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from posts import shrinking, thumbnails
from posts.index import index_posts
from posts.shrinking import PictureUnreadable
from posts.source import hash_blob
from posts.thumbnails import Store
from tests.posts.blogs import get_post, index, messages
from tests.posts.pictures import KILLER, make_or_die, make_picture, write_pictures

PAGE = "galleries/g/index.txt"


def shrink(content: bytes, tmp_path: Path) -> Image.Image:
    file = tmp_path / "picture"
    file.write_bytes(content)
    small, width, height = shrinking.make(file, hash_blob(content))
    picture = Image.open(io.BytesIO(small))
    assert picture.size == (width, height)
    return picture


def make_bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is as large as that."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture
def store(settings, tmp_path) -> Path:
    settings.THUMBNAILS_DIR = tmp_path / "thumbnails"
    return settings.THUMBNAILS_DIR


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
def test_every_kind_of_picture_is_made_small(tmp_path, kind):
    small = shrink(make_picture(960, 720, kind=kind), tmp_path)
    assert (small.format, small.size) == ("WEBP", (480, 360))


@pytest.mark.parametrize(("mode", "kind", "color"), [
    ("CMYK", "JPEG", (0, 255, 255, 0)), ("L", "PNG", 90), ("RGBA", "PNG", (255, 0, 0, 128)),
    ("P", "GIF", 3), ("1", "PNG", 1), ("I;16", "PNG", 300), ("LA", "PNG", (9, 9)),
])  # fmt: skip
def test_every_way_of_telling_colours_is_read(tmp_path, mode, kind, color):
    small = shrink(make_picture(mode=mode, kind=kind, color=color), tmp_path)
    assert small.size == (8, 6)
    if mode == "CMYK":
        assert small.getpixel((0, 0))[0] > 200


def test_pictures_stand_upright_and_tell_nobody_where_they_were_taken(tmp_path):
    picture, exif = Image.new("RGB", (800, 400), "blue"), Image.Exif()
    picture.paste("red", (0, 0, 400, 400))
    exif[0x0112] = 6  # to be turned to the right
    exif[0x010F] = "Spy camera"
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif, icc_profile=profile, comment=b"here", xmp=b"<x>here</x>")
    small = shrink(out.getvalue(), tmp_path)
    assert small.size == (240, 480)
    assert small.getpixel((120, 10))[0] > 200
    assert small.getpixel((120, 470))[2] > 200
    assert not small.getexif()
    assert not {"exif", "xmp", "icc_profile", "comment"} & set(small.info)


@pytest.mark.parametrize(("content", "reason"), [
    (b"I am text", "it is no picture, whatever its name says"),
    (b"", "it is no picture, whatever its name says"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is no picture"),
    (b"P6 9 9 255\n" + b"\0" * 243, "it is no picture"),
    (make_bomb(60_000, 60_000), "it has 60000 x 60000 points; 64 million are read at most"),
    (make_bomb(900, 900), "it cannot be read: "),
    (make_picture(900, 900, kind="JPEG")[:-9000], "it cannot be read: "),
])  # fmt: skip
def test_what_is_no_picture_says_why(tmp_path, content, reason):
    with pytest.raises(PictureUnreadable, match=f"^{reason}"):
        shrink(content, tmp_path)


def test_a_file_that_is_too_large_is_not_even_read(tmp_path):
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(shrinking.MAX_BYTES + 1)
    with pytest.raises(PictureUnreadable, match="it has 48 MB; 48 MB are read at most"):
        shrinking.make(tmp_path / "large.png", "")


def test_a_picture_that_changed_meanwhile_waits_for_the_next_look(tmp_path):
    (tmp_path / "a.png").write_bytes(make_picture())
    with pytest.raises(FileNotFoundError):
        shrinking.make(tmp_path / "a.png", hash_blob(b"as it was"))


def test_what_ends_its_process_is_told_and_the_others_are_made(store, tmp_path, monkeypatch):
    monkeypatch.setattr(shrinking, "make_and_keep", make_or_die)
    write_pictures(tmp_path, "a.png", "b.png")
    (tmp_path / "kill.png").write_bytes(KILLER)
    files = [tmp_path / name for name in ("a.png", "kill.png", "b.png")]
    blobs = [hash_blob(file.read_bytes()) for file in files]
    found = Store(store)
    found.fill(zip(files, blobs, strict=True), lambda done, total: None)
    assert [bool(found.find(blob)) for blob in blobs] == [True, False, True]
    assert Store(store).find_failure(blobs[1]) == "reading it ended the process"


def test_what_takes_too_long_is_told(store, tmp_path, monkeypatch):
    store.mkdir()
    monkeypatch.setattr(shrinking, "SECONDS_A_PICTURE", 0.1)
    # Those are limits of a process of its own.
    monkeypatch.setattr(shrinking, "limit_process", lambda: None)
    monkeypatch.setattr(shrinking, "make", lambda file, blob: time.sleep(5))
    name = shrinking.make_and_keep(thumbnails.Job("a.png", "x", str(store)))
    assert (store / name).read_text() == "it takes over 0.1 seconds to read"


@pytest.mark.django_db
def test_a_thumbnail_is_made_once_for_each_content(store, tmp_path, monkeypatch):
    root = tmp_path / "posts"
    write_pictures(root, "galleries/g/a.png", "galleries/g/b.png")
    index_posts(root)
    made = sorted(store.iterdir())
    assert len(made) == 2
    monkeypatch.setattr("posts.thumbnails.processes.work_through", None)
    (root / "galleries/h").mkdir()
    (root / "galleries/g/a.png").rename(root / "galleries/h/c.png")
    index_posts(root)
    index_posts(root, everything=True)
    assert sorted(store.iterdir()) == made


@pytest.mark.django_db
def test_a_broken_picture_is_told_with_its_file_and_shown_as_a_link(store, tmp_path, client):
    root = tmp_path / "posts"
    write_pictures(root, "galleries/g/a.png")
    (root / "galleries/g/b.png").write_text("I am text")
    words = "the picture is shown as a link: it is no picture, whatever its name says"
    assert messages(index_posts(root)) == [f"galleries/g/b.png:1: {words}"]
    page = client.get("/pages/g/").content.decode()
    assert '<li><p><a href="/files/galleries/g/b.png">B</a></p></li>' in page
    (root / "galleries/g/b.png").write_bytes(make_picture(color="red"))
    assert messages(index_posts(root)) == []
    assert 'alt="B"' in client.get("/pages/g/").content.decode()


@pytest.mark.django_db
def test_drawings_are_shown_as_they_are(store, tmp_path):
    index(tmp_path / "posts", **{"galleries/g/a.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>'})
    assert '<img src="/files/galleries/g/a.svg" alt="A"' in get_post(PAGE).html
    assert not store.exists()


@pytest.mark.django_db
def test_thumbnails_are_served_for_good_and_the_picture_instead_while_there_is_none(
    store, tmp_path, client, settings
):
    settings.POSTS_DIR = tmp_path / "posts"
    write_pictures(settings.POSTS_DIR, "galleries/g/a b.png")
    index_posts(settings.POSTS_DIR)
    name = next(store.iterdir()).stem
    address = f"/thumbnails/{name}/galleries/g/a%20b.png"
    assert f'src="{address}"' in get_post(PAGE).html
    answer = client.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer["Cache-Control"]
    assert b"".join(answer.streaming_content) == (store / f"{name}.webp").read_bytes()
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    (store / f"{name}.webp").unlink()
    answer = client.get(address)
    assert (answer.status_code, answer["Location"]) == (302, "/files/galleries/g/a%20b.png")
    assert "no-store" in answer["Cache-Control"]
    # The next look at the posts makes it again.
    assert index_posts(settings.POSTS_DIR).is_empty
    assert client.get(address).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", [
    "/thumbnails/0123456789abcdef-1x1/../../db.sqlite3", "/thumbnails/x/galleries/g/a.png",
    "/thumbnails/0123456789abcdef-1x1/galleries/g/none.png", "/thumbnails/..%2F..%2Fx/a.png",
])  # fmt: skip
def test_nothing_else_is_served_as_a_thumbnail(store, tmp_path, client, settings, path):
    settings.POSTS_DIR = tmp_path
    write_pictures(tmp_path, "galleries/g/a.png")
    assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_thumbnails_that_are_shown_nowhere_are_swept_a_day_later(store, tmp_path):
    write_pictures(tmp_path / "posts", "galleries/g/a.png", "galleries/g/b.png")
    index_posts(tmp_path / "posts")
    (tmp_path / "posts/galleries/g/a.png").unlink()
    index_posts(tmp_path / "posts")
    assert len([*store.iterdir()]) == 2
    yesterday = time.time() - thumbnails.SECONDS_UNTIL_SWEPT - 1
    for each in store.iterdir():
        os.utime(each, (yesterday, yesterday))
    index_posts(tmp_path / "posts")
    assert len([*store.iterdir()]) == 1


@pytest.mark.django_db
def test_a_folder_that_cannot_be_written_holds_up_no_post(tmp_path, settings):
    (tmp_path / "file").write_text("")
    settings.THUMBNAILS_DIR = tmp_path / "file" / "thumbnails"
    write_pictures(tmp_path / "posts", "galleries/g/a.png")
    words = f"{settings.THUMBNAILS_DIR} cannot be written, or the run had no time for a small one"
    told = messages(index_posts(tmp_path / "posts"))
    start = "galleries/g/a.png:1: the picture is shown as it is: "
    assert told == [f"{start}{words}; the next makes it"]
    assert '<img src="/files/galleries/g/a.png"' in get_post(PAGE).html
    (tmp_path / "file").unlink()
    assert messages(index_posts(tmp_path / "posts")) == []
    assert '<img src="/thumbnails/' in get_post(PAGE).html


@pytest.mark.django_db
def test_a_picture_for_which_there_was_no_time_may_turn_out_to_be_none(
    store, tmp_path, monkeypatch
):
    root = tmp_path / "posts"
    monkeypatch.setattr(thumbnails, "SECONDS_A_RUN", 0)
    write_pictures(root, "galleries/g/a.png")
    (root / "galleries/g/b.png").write_text("I am text")
    assert "the run had no time" in messages(index_posts(root))[0]
    assert '<img src="/files/galleries/g/b.png"' in get_post(PAGE).html
    assert "it is no picture" in messages(index_posts(root))[0]
    assert '<p><a href="/files/galleries/g/b.png">B</a></p>' in get_post(PAGE).html


def test_a_note_that_another_run_takes_away_is_none(store, tmp_path, monkeypatch):
    store.mkdir()
    gone = f"{'0' * 16}{thumbnails.failure_ending()}"
    monkeypatch.setattr("os.listdir", lambda path: [gone])
    assert Store(store).failed == {}


@pytest.mark.django_db
def test_a_run_makes_as_many_as_there_is_time_for_and_the_next_goes_on(
    store, tmp_path, monkeypatch
):
    monkeypatch.setattr(thumbnails, "SECONDS_A_RUN", 0)
    write_pictures(tmp_path / "posts", "galleries/g/a.png", "galleries/g/b.png")
    told = messages(index_posts(tmp_path / "posts"))
    assert [line.partition(":")[0] for line in told] == ["galleries/g/b.png"]
    assert messages(index_posts(tmp_path / "posts")) == []
    assert get_post(PAGE).html.count('<img src="/thumbnails/') == 2


@pytest.mark.django_db
def test_a_picture_that_changes_while_posts_are_rendered_is_shown_as_it_is_then(
    store, tmp_path, monkeypatch
):
    root = tmp_path / "posts"
    write_pictures(root, "galleries/g/a.png")

    def change(texts):
        (root / "galleries/g/a.png").write_bytes(make_picture(20, 10))
        (root / "galleries/g/b.png").write_bytes(make_picture(30, 10))

    monkeypatch.setattr("posts.index.search.prepare", change)
    assert messages(index_posts(root)) == []
    html = get_post(PAGE).html
    assert 'alt="A" width="20" height="10"' in html
    assert 'alt="B" width="30" height="10"' in html


@pytest.mark.django_db
def test_no_thumbnail_is_made_while_everybody_else_waits(store, tmp_path, monkeypatch):
    from django.db import connection

    outer, calls = len(connection.savepoint_ids), []
    original = thumbnails.processes.work_through

    def work_through(*args):
        calls.append(len(connection.savepoint_ids) > outer)
        return original(*args)

    monkeypatch.setattr("posts.thumbnails.processes.work_through", work_through)
    write_pictures(tmp_path / "posts", "galleries/g/a.png")
    index_posts(tmp_path / "posts")
    assert calls == [False]
