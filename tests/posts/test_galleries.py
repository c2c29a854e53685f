"""Galleries: folders of pictures become pages, with what is said about the pictures."""

import shutil
from html import escape

import pytest

from posts import captions, exhibits
from posts.checking import check_posts
from posts.index import index_posts
from posts.links import MADE
from posts.models import Post, Snapshot
from tests.posts.blogs import get_post, index, make_markdown, messages, write_posts
from tests.posts.pictures import make_picture, write_pictures

pytestmark = pytest.mark.django_db

ROME = ("galleries/trips/rome/02_the_forum.jpg", "galleries/trips/rome/10_home.jpg",
        "galleries/trips/rome/IMG_0815.jpg")  # fmt: skip
PAGE = "galleries/trips/rome/index.txt"


@pytest.fixture
def rome(tmp_path):
    write_pictures(tmp_path, *ROME, kind="JPEG")
    return tmp_path


def find_order(html: str) -> list[str]:
    """The names of the pictures, as they stand there."""
    return [
        part.partition('"')[0].rpartition("/")[2] for part in html.split('<a href="/files/')[1:]
    ]


def test_a_folder_of_pictures_is_a_page_by_itself(rome, client):
    assert messages(index(rome)) == []
    page = client.get("/pages/trips-rome/").content.decode()
    assert '<h1 class="site-title">rome</h1>' in page
    assert find_order(page) == ["02_the_forum.jpg", "10_home.jpg", "IMG_0815.jpg"]
    assert 'alt="The forum" width="8" height="6" loading="lazy"' in page
    assert "</a><p>The forum</p>" in page
    # What a camera calls it says nothing to those who see the picture.
    assert (
        'alt="IMG 0815" width="8" height="6" loading="lazy" class="gallery-odd"></a></li>' in page
    )
    assert "to read" not in page


def test_the_list_of_all_galleries_stands_in_the_menu_and_leads_to_each(rome, client):
    write_pictures(rome, "galleries/cats/tom.png")
    index(rome)
    front = client.get("/").content.decode()
    assert '<a href="/pages/galleries/">Galleries</a>' in front
    assert "/pages/cats/" not in front
    everything = client.get("/pages/galleries/").content.decode()
    assert '<a href="/pages/cats/">cats</a>' in everything
    assert '<a href="/pages/trips/">trips</a>' in everything
    assert "/pages/trips-rome/" not in everything
    # The picture that stands for a gallery is the first of those in it, and further in.
    assert everything.count('aria-hidden="true"><img src="/thumbnails/') == 2
    trips = client.get("/pages/trips/").content.decode()
    assert '<p class="gallery-way"><a href="/pages/galleries/">Galleries</a></p>' in trips
    assert '<a href="/pages/trips-rome/">rome</a>' in trips


def test_the_list_is_called_what_the_language_of_the_site_has_for_it(rome, settings):
    settings.LANGUAGE_CODE = "zh-hans"
    index(rome)
    assert get_post("galleries/index.txt").title == "相册"


def test_the_text_of_a_gallery_stands_above_its_pictures(rome, client):
    index(rome, **{PAGE: ".. title: Rome\n.. slug: roma\n\nWe *went* there.\n"})
    page = client.get("/pages/roma/").content.decode()
    assert '<h1 class="site-title">Rome</h1>' in page
    assert page.index("<em>went</em>") < page.index('<ul class="gallery-pictures">')


@pytest.mark.parametrize("name", ["index.md", "index.rst"])
def test_the_text_may_be_in_any_markup(tmp_path, name):
    texts = {"index.md": "# Rome\n\nWe *went*.\n", "index.rst": "Rome\n====\n\nWe *went*.\n"}
    write_pictures(tmp_path, "galleries/rome/a.png")
    index(tmp_path, **{f"galleries/rome/{name}": texts[name]})
    page = get_post(f"galleries/rome/{name}")
    assert (page.title, page.slug) == ("Rome", "rome")
    assert "<em>went</em>" in page.html


def test_of_two_texts_one_is_read_and_the_other_told(tmp_path):
    write_pictures(tmp_path, "galleries/rome/a.png")
    told = messages(index(tmp_path, **{"galleries/rome/index.md": "# A\n",
                                       "galleries/rome/index.txt": "B\n"}))  # fmt: skip
    words = "it is not read: another file beside it is the gallery's text. Keep one of them."
    assert told == [f"galleries/rome/index.md:1: {words}"]
    assert [post.path for post in Post.objects.filter(path__contains="rome")] == [
        "galleries/rome/index.txt"
    ]


def test_metadata_tell_captions_and_order_as_in_nikola(rome):
    notes = """---
name: 10_home.jpg
---
name: IMG_0815.jpg
caption: A <wide> one
alt: "The \\"Tiber\\""
order: 0
"""
    index(rome, **{"galleries/trips/rome/metadata.yml": notes})
    html = get_post(PAGE).html
    assert find_order(html) == ["IMG_0815.jpg", "10_home.jpg", "02_the_forum.jpg"]
    assert "<p>A &lt;wide&gt; one</p>" in html
    assert 'alt="The &quot;Tiber&quot;"' in html


@pytest.mark.parametrize(("notes", "told"), [
    ("name: a.png\ncaption: One\n---\nname: [\n", "4: it cannot be read from here on: expected the "
     "node content, but found '<stream end>'"),
    ("name: a.png\ncaption: One\n---\nalt: x\n", '4: it has no "name:" that tells which picture '
     "is meant"),
    ("name: a.png\ncaption: One\n---\nname: b.png\n", '4: there is no picture "b.png" in this '
     "folder"),
    ("name: a.png\ncaption: One\n---\n\nname: a.png\n", '5: "a.png" is named twice; the first time '
     "counts"),
    ("name: a.png\ncaption: One\n---\na: &a [x]\nb: [*a, *a]\n", "5: it cannot be read from here "
     "on: *alias: write the value out instead"),
    ("name: a.png\ncaption: One\n---\n" + "[" * 600, "1: it cannot be read from here on: maximum "
     "recursion depth exceeded"),
    ("# \ud800", "1: it is not UTF-8 (byte 2). Save it in UTF-8 and push again."),
    ("#" * 150_000, "1: it has 146 KB; 128 KB are read at most. Put some of the pictures into "
     "another folder."),
])  # fmt: skip
def test_broken_metadata_are_told_with_their_line_and_the_rest_is_shown(tmp_path, notes, told):
    write_pictures(tmp_path, "galleries/g/a.png")
    content = notes.encode("utf-8", "surrogatepass")
    (tmp_path / "galleries/g/metadata.yml").write_bytes(content)
    found = messages(index_posts(tmp_path))
    assert len(found) == 1
    assert found[0].startswith(f"galleries/g/metadata.yml:{told}")
    html = get_post("galleries/g/index.txt").html
    assert find_order(html) == ["a.png"]
    assert ("<p>One</p>" in html) == ("One" in notes)
    # As the one who writes is told.
    assert [f"{path}:{each.line}: {each.message}" for path, each in check_posts(tmp_path)] == found


@pytest.mark.parametrize(
    "said", ["order: 99999999999999999999", "order: -5", "order: !!int ''", "caption: !!bool x"]
)
def test_no_value_of_the_metadata_stops_the_others(tmp_path, said):
    write_pictures(tmp_path, "galleries/g/a.png", "galleries/g/b.png")
    index(tmp_path)
    notes = f"name: b.png\n{said}\n"
    told = messages(index(tmp_path, **{"galleries/g/metadata.yml": notes, "2016-01-01-a.md": "A"}))
    assert told == []
    assert find_order(get_post("galleries/g/index.txt").html) == ["b.png", "a.png"]
    assert get_post("2016-01-01-a.md")


def test_what_is_excluded_is_not_shown(rome):
    notes = {"galleries/trips/rome/exclude.meta": "10_home.jpg\nnowhere.jpg\n"}
    told = messages(index(rome, **notes))
    assert told == [
        'galleries/trips/rome/exclude.meta:2: there is no picture "nowhere.jpg" in this folder'
    ]
    assert find_order(get_post(PAGE).html) == ["02_the_forum.jpg", "IMG_0815.jpg"]


@pytest.mark.parametrize("path", ["2016-01-01-a.md", "2016-01-01-b.rst", "2016-01-01-c.md"])
def test_any_post_may_show_a_gallery(rome, path):
    texts = {
        "2016-01-01-a.md": "# A\n\n{{% gallery rome %}}\n\n`{{% gallery rome %}}`\n",
        "2016-01-01-b.rst": "B\n==\n\n.. gallery:: trips/rome\n",
        "2016-01-01-c.md": "<!--\n.. title: C\n-->\n\n{{% gallery galleries/trips/rome/ %}}\n",
    }
    assert messages(index(rome, **{path: texts[path]})) == []
    html = get_post(path).html
    assert find_order(html) == ["02_the_forum.jpg", "10_home.jpg", "IMG_0815.jpg"]
    if path == "2016-01-01-a.md":
        assert "<code>{{% gallery rome %}}</code>" in html


def test_other_shortcodes_mean_nothing_outside_of_nikola(tmp_path):
    body = "{{% gallery x %}} {{% media y %}} {{% nobody %}}"
    told = messages(index(tmp_path, **{"2016-01-01-a.md": f"# A\n\n{body}\n"}))
    words = 'there is no gallery "x": no folder of pictures in galleries/'
    assert told == [f"2016-01-01-a.md:3: {words}"]
    html = get_post("2016-01-01-a.md").html
    assert "{{% media y %}} {{% nobody %}}" in html
    assert "<p><code>x</code></p>" in html


def test_a_name_that_several_galleries_have_means_none(tmp_path):
    write_pictures(tmp_path, "galleries/a/2019/x.png", "galleries/b/2019/x.png")
    told = messages(index(tmp_path, **{"2016-01-01-a.md": "# A\n\n{{% gallery 2019 %}}\n"}))
    assert "there is no gallery" in told[0]
    index(tmp_path, **{"2016-01-01-a.md": "# A\n\n{{% gallery b/2019 %}}\n"})
    assert "galleries/b/2019/x.png" in get_post("2016-01-01-a.md").html


@pytest.mark.parametrize("link", [
    "/galleries/trips/rome/", "/galleries/trips/rome/index.html", "galleries/trips/rome",
    "link://gallery/rome", "link://gallery/trips/rome",
])  # fmt: skip
def test_links_to_galleries_lead_there(rome, link):
    assert messages(index(rome, **{"2016-01-01-a.md": f"# A\n\n[g]({link})\n"})) == []
    assert '<a href="/pages/trips-rome/">g</a>' in get_post("2016-01-01-a.md").html


@pytest.mark.parametrize(("address", "place"), [
    ("/galleries/trips/rome/", "/pages/trips-rome/"),
    ("/galleries/trips/rome/index.html", "/pages/trips-rome/"),
    ("/galleries/", "/pages/galleries/"),
    ("/galleries/trips/rome/10_home.jpg", "/files/galleries/trips/rome/10_home.jpg"),
    ("/galleries/trips/rome/10_home.thumbnail.jpg", "/files/galleries/trips/rome/10_home.jpg"),
])  # fmt: skip
def test_addresses_of_nikola_lead_to_the_gallery_for_good(rome, client, settings, address, place):
    settings.POSTS_DIR = rome
    index(rome)
    answer = client.get(address)
    assert (answer.status_code, answer["Location"]) == (301, place)


def test_captions_are_found_by_the_search(rome, client):
    notes = "name: 10_home.jpg\ncaption: Castelgandolfo\n"
    index(rome, **{"galleries/trips/rome/metadata.yml": notes})
    assert "/pages/trips-rome/" in client.get("/search/?q=Castelgandolfo").content.decode()


def test_a_draft_is_shown_to_nobody_and_led_to_from_nowhere(rome, client):
    index(rome, **{PAGE: ".. title: Rome\n.. status: draft\n\nx\n"})
    assert client.get("/pages/trips-rome/").status_code == 404
    assert "rome" not in client.get("/pages/trips/").content.decode()
    index(rome, **{PAGE: ".. title: Rome\n\nx\n"})
    assert "Rome" in client.get("/pages/trips/").content.decode()


@pytest.mark.parametrize("status", ["draft", "private", "hidden"])
def test_no_other_gallery_has_a_picture_of_one_that_is_not_shown(rome, client, status):
    index(rome, **{PAGE: f".. title: Rome\n.. status: {status}\n\nx\n"})
    for address in ("/pages/galleries/", "/pages/trips/"):
        assert "rome" not in client.get(address).content.decode()
    index(rome, **{PAGE: ".. title: Rome\n\nx\n"})
    for address in ("/pages/galleries/", "/pages/trips/"):
        assert "/galleries/trips/rome/02_the_forum.jpg" in client.get(address).content.decode()


def test_galleries_within_one_that_is_not_shown_are_listed_above_it(rome, client):
    index(rome, **{"galleries/trips/index.txt": ".. title: Trips\n.. status: private\n\nx\n"})
    page = client.get("/pages/galleries/").content.decode()
    assert 'href="/pages/trips-rome/"' in page
    assert 'href="/pages/trips/"' not in page


@pytest.mark.parametrize(
    ("width", "height", "fits"),
    [(480, 360, True), (300, 400, True), (480, 100, False), (90, 480, False), (16, 12, False)],
)
def test_a_picture_fills_its_place_where_that_shows_it_well(width, height, fits):
    assert exhibits.fits(exhibits.Thumbnail("x", width, height)) is fits


def test_a_post_shows_so_many_galleries_and_a_gallery_itself_besides(rome):
    wanted = "# A\n\n" + "{{% gallery rome %}}\n\n" * 12
    told = messages(index(rome, **{
        "2016-01-01-a.md": wanted, "galleries/cats/index.md": wanted, "galleries/cats/tom.svg": "x",
    }))  # fmt: skip
    words = "10 galleries are shown in a post. Link to the others."
    assert told == [f"{path}:3: {words}" for path in ("2016-01-01-a.md", "galleries/cats/index.md")]
    assert get_post("2016-01-01-a.md").html.count('<ul class="gallery-pictures">') == 10
    assert "tom.svg" in get_post("galleries/cats/index.md").html


def test_what_is_said_about_pictures_is_read_when_it_changes_and_not_again(rome, monkeypatch):
    index(rome, **{"galleries/trips/rome/exclude.meta": "10_home.jpg\n"})
    read = []
    arrange = captions.arrange
    monkeypatch.setattr(
        captions, "arrange", lambda *args: (read.append(args[0].folder), arrange(*args))[1]
    )
    assert messages(index(rome, **{"2016-01-01-a.md": "# A\n"})) == []
    assert read == []
    assert messages(index(rome, **{PAGE: "Changed\n"})) == []
    assert set(read) <= {"galleries/trips/rome"}


def test_names_that_cameras_give_make_no_gallery_another(tmp_path, client):
    for name, color in (("family", "red"), ("oslo", "blue")):
        for number in range(6):
            file = tmp_path / f"galleries/{name}/IMG_000{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(make_picture(10 + number, color=color))
        index(tmp_path, **{f"galleries/{name}/index.md": f"# {name.title()}\n"})
        if name == "family":
            shutil.rmtree(tmp_path / "galleries/family")
            (tmp_path / "2016-01-01-a.md").write_text("A")
    assert client.get("/pages/oslo/").status_code == 200
    assert client.get("/pages/family/").status_code == 404


def test_a_picture_that_comes_goes_or_changes_shows_where_it_is_shown_and_nowhere_else(rome):
    write_pictures(rome, "galleries/cats/tom.png")
    posts = {"2016-01-01-a.md": "# A\n\n{{% gallery rome %}}\n", "2016-01-02-b.md": "# B\n"}
    index(rome, **posts)
    for change in (
        lambda: (rome / "galleries/trips/rome/new.png").write_bytes(make_picture()),
        lambda: (rome / "galleries/trips/rome/new.png").write_bytes(make_picture(color="red")),
        lambda: (rome / "galleries/trips/rome/new.png").rename(rome / ROME[0].replace("02", "01")),
        lambda: (rome / ROME[1]).unlink(),
    ):
        before = {post.path: post.urls for post in Post.objects.all()}
        change()
        report = index_posts(rome)
        assert report.changed == [PAGE]
        after = {post.path: post.urls for post in Post.objects.all()}
        assert {path for path in after if after[path] != before[path]} - {
            # Their pictures show it, when it is the first.
            "galleries/index.txt", "galleries/trips/index.txt",
        } == {PAGE, "2016-01-01-a.md"}  # fmt: skip


def test_a_gallery_that_is_renamed_takes_its_addresses_with_it(rome, client):
    index(rome)
    uid = get_post(PAGE).uid
    shutil.move(rome / "galleries/trips/rome", rome / "galleries/roma")
    report = index_posts(rome)
    assert ("galleries/trips/rome/index.txt", "galleries/roma/index.txt") in report.renamed
    assert get_post("galleries/roma/index.txt").uid == uid
    assert client.get("/pages/trips-rome/")["Location"] == "/pages/roma/"
    for address in ("/galleries/trips/rome/", "/galleries/trips/rome/index.html"):
        assert client.get(address)["Location"] == "/pages/trips-rome/"
    assert client.get("/galleries/trips/nowhere/").status_code == 404


def test_a_text_that_is_written_later_keeps_the_page_what_it_was(rome, client):
    index(rome)
    uid = get_post(PAGE).uid
    index(rome, **{"galleries/trips/rome/index.md": make_markdown("Rome", "Long. " * 90)})
    page = get_post("galleries/trips/rome/index.md")
    assert (page.uid, page.slug) == (uid, "trips-rome")
    (rome / "galleries/trips/rome/index.md").unlink()
    index_posts(rome)
    assert get_post(PAGE).uid == uid


def test_a_gallery_in_two_languages_has_captions_in_both(tmp_path, client):
    write_pictures(tmp_path, "galleries/rome/a.png")
    index(tmp_path, **{
        "galleries/rome/index.md": "# Rome\n",
        "galleries/rome/index.zh_cn.md": "# 罗马\n",
        "galleries/rome/metadata.yml": "name: a.png\ncaption: Forum\n",
        "galleries/rome/metadata.zh_cn.yml": "name: a.png\ncaption: 广场\n",
    })  # fmt: skip
    assert "<p>广场</p>" in client.get("/pages/rome-zh-cn/").content.decode()
    assert "<p>Forum</p>" in client.get("/pages/rome/").content.decode()


def test_what_is_wrong_with_a_gallery_is_told_once_and_of_each_language_what_is_its_own(tmp_path):
    write_pictures(tmp_path, "galleries/rome/a.png")
    told = messages(index(tmp_path, **{
        "galleries/rome/index.md": "# Rome\n",
        "galleries/rome/index.zh_cn.md": "# 罗马\n",
        "galleries/rome/exclude.meta": "x.png\n",
        "galleries/rome/metadata.yml": "name: y.png\n",
        "galleries/rome/metadata.zh_cn.yml": "name: z.png\n",
    }))  # fmt: skip
    assert [line.rpartition(":")[0] for line in told] == [
        "galleries/rome/exclude.meta:1", "galleries/rome/metadata.yml:1",
        "galleries/rome/metadata.zh_cn.yml:1",
    ]  # fmt: skip


def test_a_gallery_with_a_text_in_another_language_alone_is_one_like_others(tmp_path, client):
    write_pictures(tmp_path, "galleries/rome/a.png")
    told = messages(index(tmp_path, **{
        "galleries/rome/index.de.md": "# Rom\n",
        "galleries/rome/exclude.meta": "x.png\n",
        "galleries/rome/metadata.yml": "name: [",
    }))  # fmt: skip
    assert [line.partition(": ")[0] for line in told] == [
        "galleries/rome/exclude.meta:1", "galleries/rome/metadata.yml:1"
    ]  # fmt: skip
    page = get_post("galleries/rome/index.de.md")
    assert client.get("/galleries/rome/")["Location"] == page.get_absolute_url()
    assert client.get("/galleries/rome/").status_code == 301


def test_translations_lead_to_galleries_in_their_language_and_share_problems(tmp_path, client):
    write_pictures(tmp_path, "galleries/rome/forum/a.png")
    (tmp_path / "galleries/rome/b.png").write_text("I am text")
    told = messages(index(tmp_path, **{
        "galleries/rome/index.md": "# Rome\n",
        "galleries/rome/index.zh_cn.md": "# 罗马\n",
        "galleries/rome/forum/index.md": "# Forum\n",
        "galleries/rome/forum/index.zh_cn.md": "# 广场\n",
    }))  # fmt: skip
    assert [line.partition(": ")[0] for line in told] == ["galleries/rome/b.png:1"]
    assert get_post("galleries/rome/index.md").site_problems
    assert get_post("galleries/rome/index.zh_cn.md").site_problems == []
    assert ">广场</a>" in client.get("/pages/rome-zh-cn/").content.decode()
    assert ">Forum</a>" in client.get("/pages/rome/").content.decode()


def test_only_what_is_written_can_be_edited(rome, client):
    index(rome, **{"galleries/index.md": "# G\n"})
    Snapshot.objects.update(edit_url="https://github.com/x/y/edit/main/")
    assert "edit/main/galleries/index.md" in client.get("/pages/galleries/").content.decode()
    assert "edit/main/" not in client.get("/pages/trips-rome/").content.decode()


def test_more_pictures_than_a_page_can_hold_are_left_out_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr("posts.captions.MOST_PICTURES", 2)
    write_pictures(tmp_path, *(f"galleries/g/{number}.png" for number in (1, 2, 10)))
    words = "the folder has 3 pictures; the first 2 are shown. Put some into another folder."
    assert messages(index(tmp_path)) == [f"galleries/g/10.png:1: {words}"]
    assert find_order(get_post("galleries/g/index.txt").html) == ["1.png", "2.png"]


def test_names_are_nothing_but_names(tmp_path, client):
    name = '<b>"it\'s" 北京 50% #1?.png'
    write_pictures(tmp_path, f"galleries/g&h/{name}")
    assert messages(index(tmp_path)) == []
    page = client.get("/pages/g&h/").content.decode()
    assert 'alt="&lt;b&gt;&quot;it&#x27;s&quot; 北京 50% #1?"' in page
    assert "%3Cb%3E%22it%27s%22%20%E5%8C%97%E4%BA%AC%2050%25%20%231%3F.png" in page
    write_posts(tmp_path, **{"galleries/x\ny/a.md": "x", "2016-01-01-a.md": "# A\n"})
    write_pictures(tmp_path, "galleries/x\ny/a\nb.png")
    index_posts(tmp_path)
    assert not Post.objects.filter(path__contains="x\ny").exists()


@pytest.mark.parametrize("kind", ["exhibit", "code"])
def test_no_title_and_no_address_passes_for_what_was_made(tmp_path, client, kind):
    """What a row keeps is taken for the next run, and nobody can write such a thing himself."""
    write_pictures(tmp_path, "galleries/g/a.png")
    shown = "{{% gallery g %}}" if kind == "exhibit" else '<div data-code="name=a.py"></div>'
    index(tmp_path, **{"a.md": f"# A\n\n{shown}\n", "code/a.py": "import os\n"})
    start = get_post("a.md").urls[0].removeprefix(MADE).partition("-->")[0]
    attack = f"{start}--><script>alert(1)</script>"
    link = f'<a href="{escape(attack)}">x</a> <a class="post-title" href="z.md">y</a>'
    index(tmp_path, **{"z.md": f"---\ntitle: '{attack}'\n---\n{link}\n"})
    index(tmp_path, **{"y.md": "# Y\n"})
    index(tmp_path, **{"b.md": f"# B\n\n{shown}\n"})
    for slug in ("a", "b", "g", "z"):
        assert "<script>alert" not in client.get(f"/pages/{slug}/").content.decode()
    page = client.get("/pages/a/").content.decode()
    assert MADE not in page
    assert "<!--" not in page


def test_links_to_other_places_are_no_pictures(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(make_picture())
    root = tmp_path / "posts"
    write_pictures(root, "galleries/g/a.png")
    (root / "galleries/g/b.png").symlink_to(secret)
    (root / "galleries/h").symlink_to(tmp_path)
    index_posts(root)
    assert find_order(get_post("galleries/g/index.txt").html) == ["a.png"]
    assert not Post.objects.filter(path__startswith="galleries/h").exists()


def test_a_page_with_a_gallery_costs_four_queries(rome, client, django_assert_max_num_queries):
    index(rome, **{"2016-01-01-a.md": "# A\n\n{{% gallery rome %}}\n"})
    for address in ("/pages/trips-rome/", "/pages/galleries/", "/2016/01/01/a/", "/"):
        with django_assert_max_num_queries(4):
            assert client.get(address).status_code == 200
