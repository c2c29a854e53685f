"""Translations of a post are one post in lists, each at an address of its own."""

import re
from datetime import timedelta

import feedparser
import pytest
from django.utils import timezone

from posts.checking import check_posts
from posts.index import index_posts
from posts.models import Post
from posts.templatetags.blog import native, og_locale
from tests.posts.blogs import get_post, index, make_markdown, make_rst, messages, write_posts
from tests.posts.test_lineage import commit, index_each_commit_then_anew, make_repository

ENGLISH = "These are some English words that make up the text of a post. " * 3
CHINESE = "这是一篇用中文写的文章，说的是同一件事情。" * 3

PELICAN = {
    "soup.md": f"Title: Soup\nSlug: soup\nDate: 2020-06-01\nTags: food\n\n{ENGLISH}\n",
    "soup-zh.md": f"Title: 汤\nSlug: soup\nDate: 2020-06-01\nTags: 食物\nLang: zh\n\n{CHINESE}\n",
}
NIKOLA = {
    "rome.md": "<!--\n.. title: Rome\n.. slug: my-rome\n.. date: 2020-05-01 10:00\n"
    ".. tags: italy\n.. category: Trips\n.. author: Jane\n.. description: A week there.\n"
    f"-->\n\n{ENGLISH}\n",
    "rome.zh_cn.md": f"<!--\n.. title: 罗马\n-->\n\n{CHINESE}\n",
}


def addresses():
    return {post.path: post.get_absolute_url() for post in Post.objects.all()}


def originals():
    return {post.path: post.original for post in Post.objects.all() if post.precedence}


def titles_in(client, address):
    """Of the entries of a list."""
    page = client.get(address).content.decode()
    return [part.partition("</a>")[0].rpartition(">")[2]
            for part in page.split('class="site-entry-title"')[1:]]  # fmt: skip


# Which posts are translations of one another, and where they live.


@pytest.mark.django_db
def test_pelican_tells_by_slug_and_language(tmp_path):
    assert messages(index(tmp_path, **PELICAN)) == []
    assert check_posts(tmp_path) == []
    assert originals() == {"soup-zh.md": "soup.md"}
    assert addresses() == {"soup.md": "/2020/06/01/soup/", "soup-zh.md": "/2020/06/01/soup-zh/"}


@pytest.mark.django_db
def test_a_translation_of_another_day_is_known_by_its_slug(tmp_path):
    later = PELICAN["soup-zh.md"].replace("2020-06-01", "2021-01-01")
    index(tmp_path, **PELICAN, **{"soup-fr.md": later.replace("Lang: zh", "Lang: fr")})
    assert originals() == {"soup-zh.md": "soup.md", "soup-fr.md": "soup.md"}
    assert addresses()["soup-fr.md"] == "/2021/01/01/soup/"


@pytest.mark.django_db
def test_posts_that_come_again_under_one_slug_are_no_translations(tmp_path):
    weekly = "Title: Week\nSlug: weekly\nDate: 202{}-01-01\n{}\nText.\n"
    index(tmp_path, **{
        "a.md": weekly.format(0, ""), "b.md": weekly.format(1, "Lang: en\n"),
        "c.md": weekly.format(2, ""), "2020-01-01-on.md": make_markdown(lang="en"),
        "2021-01-01-on.md": make_markdown(lang="fr"),
    })  # fmt: skip
    assert originals() == {}


@pytest.mark.django_db
@pytest.mark.parametrize("first", ["en", "zh"])
def test_the_mark_and_the_sites_language_tell_which_is_the_original(tmp_path, first):
    index(tmp_path, **{
        "2020-01-01-x.md": make_markdown(lang="zh"),
        "sub/2020-01-01-x.md": make_markdown(
            lang="en", **({"translation": "true"} if first == "zh" else {})
        ),
    })  # fmt: skip
    paths = {"zh": "2020-01-01-x.md", "en": "sub/2020-01-01-x.md"}
    (second,) = {"zh", "en"} - {first}
    assert originals() == {paths[second]: paths[first]}
    assert addresses()[paths[second]] == f"/2020/01/01/x-{second}/"


@pytest.mark.django_db
def test_nikola_tells_by_the_name_and_so_may_posts_with_the_date_in_theirs(tmp_path):
    report = index(tmp_path, **NIKOLA, **{
        "2020_01_01-x.rst": make_rst("X"), "2020_01_01-x.en.rst": make_rst("X2"),
    })  # fmt: skip
    assert messages(report) == []
    assert originals() == {"rome.zh_cn.md": "rome.md", "2020_01_01-x.en.rst": "2020_01_01-x.rst"}
    assert addresses()["rome.zh_cn.md"] == "/2020/05/01/my-rome-zh-cn/"
    assert addresses()["2020_01_01-x.en.rst"] == "/2020/01/01/x-en/"
    assert get_post("2020_01_01-x.en.rst").language == "en"
    own = ".. title: Rome\n.. slug: ma-rome\n.. date: 2020-06-01\n"
    index(tmp_path, **{"rome.fr.md": f"<!--\n{own}-->\n\nTexte.\n"})
    assert originals()["rome.fr.md"] == "rome.md"
    assert addresses()["rome.fr.md"] == "/2020/06/01/ma-rome-fr/"


@pytest.mark.django_db
def test_a_name_with_dots_is_a_translation_only_beside_what_it_translates(tmp_path):
    names = ["notes.md", "notes.on.md", "release.md", "release.1.md", "do.it.md", "readme.en.md",
             "a/x.md", "b/x.fr.md", "y.rst", "y.fr.md"]  # fmt: skip
    index(tmp_path, **dict.fromkeys(names, "Words\n=====\n\nText.\n"))
    assert originals() == {}
    assert addresses()["do.it.md"] == "/pages/do.it/"
    assert addresses()["notes.on.md"] == "/pages/notes.on/"
    index(tmp_path, **{"do.md": "# Do\n"})
    assert originals() == {"do.it.md": "do.md"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("one", "two"), [({}, {}), ({"lang": "en"}, {"lang": "EN"})], ids=["guessed", "stated"]
)
def test_an_accident_is_no_translation_and_is_reported(tmp_path, one, two):
    report = index(tmp_path, **{
        "2020-01-01-x.md": make_markdown(body=ENGLISH, **one),
        "sub/2020-01-01-x.md": make_markdown(body=CHINESE if not two else ENGLISH, **two),
    })  # fmt: skip
    assert originals() == {}
    assert addresses()["sub/2020-01-01-x.md"] == "/2020/01/01/x-2/"
    assert len(messages(report)) == 2


@pytest.mark.django_db
def test_no_two_translations_are_in_one_language(tmp_path, client):
    report = index(tmp_path, **{
        "2024_04_01-u.md": make_markdown(lang="de"), "2024_04_01-u.de.md": make_markdown("Zwei"),
        "2024_04_01-u.fr.md": make_markdown("Deux"),
    })  # fmt: skip
    assert originals() == {"2024_04_01-u.fr.md": "2024_04_01-u.md"}
    assert addresses()["2024_04_01-u.de.md"] == "/2024/04/01/u-de/"
    assert any(path == "2024_04_01-u.de.md" for path, _ in report.problems)
    page = client.get("/2024/04/01/u/").content.decode()
    assert (page.count('rel="alternate" hreflang="de"'), ">Deutsch</a>" in page) == (1, False)


@pytest.mark.django_db
def test_a_third_post_of_that_name_is_told_of_and_leaves_the_translations_alone(tmp_path):
    report = index(tmp_path, **PELICAN, **{"z/soup.md": PELICAN["soup.md"]})
    assert originals() == {"soup-zh.md": "soup.md"}
    assert addresses()["z/soup.md"] == "/2020/06/01/soup-2/"
    assert {path for path, _ in report.problems} == {"soup.md", "soup-zh.md", "z/soup.md"}


@pytest.mark.django_db
def test_who_has_an_address_keeps_it_when_a_translation_comes(tmp_path, client):
    root = make_repository(tmp_path / "posts")
    before, after = index_each_commit_then_anew(
        root,
        ([], {"soup-zh.md": PELICAN["soup-zh.md"]}),
        ([], {"soup.md": PELICAN["soup.md"].replace("Tags", "Lang: en\nTags")}),
        ([], {"rome.md": NIKOLA["rome.md"], "rome.zh_cn.md": NIKOLA["rome.zh_cn.md"]}),
        ([], {"rome.md": NIKOLA["rome.md"].replace("my-rome", "roma")}),
    )
    assert after == before
    assert addresses()["soup-zh.md"] == "/2020/06/01/soup/"
    assert addresses()["soup.md"] == "/2020/06/01/soup-en/"
    for ending in ("", "-zh-cn"):
        moved = client.get(f"/2020/05/01/my-rome{ending}/")
        assert moved["Location"] == f"/2020/05/01/roma{ending}/"


@pytest.mark.django_db
def test_translations_without_an_original_need_one_another(tmp_path):
    root = make_repository(tmp_path / "posts")
    german = NIKOLA["rome.md"].replace("Rome", "Rom")
    before, after = index_each_commit_then_anew(
        root,
        ([], {"rome.de.md": german}),
        ([], {"rome.fr.md": german}),
        (["rome.fr.md"], {"x.md": "# X\n"}),
        ([], {"rome.es.md": german}),
    )
    assert after == before
    assert originals() == {"rome.es.md": "rome.de.md"}
    assert addresses()["rome.de.md"] == "/2020/05/01/my-rome-de/"
    assert ("/2020/05/01/my-rome/", 2) in after["rome.de.md"][4]


@pytest.mark.django_db
def test_edits_of_an_originals_text_render_no_older_version(tmp_path, monkeypatch):
    root = make_repository(tmp_path / "posts")
    for at in range(3):
        texts = {name: f"{text}\n{at}\n" for name, text in NIKOLA.items()}
        commit(root, **texts)
    rendered = []
    monkeypatch.setattr("posts.index.fitting.fit", lambda each: rendered.append(each) or each)
    index_posts(root)
    assert len(rendered) == 2


# What a translation takes over.


@pytest.mark.django_db
def test_what_a_translation_leaves_out_comes_from_the_original(tmp_path):
    index(tmp_path, **NIKOLA)
    one, two = get_post("rome.md"), get_post("rome.zh_cn.md")
    for name in ("published_at", "tag_names", "category", "author"):
        assert getattr(two, name) == getattr(one, name)
    assert (two.title, two.language) == ("罗马", "zh-cn")
    assert two.summary.startswith("这是")


@pytest.mark.django_db
@pytest.mark.parametrize("ending", ["md", "rst"])
def test_an_edit_of_the_originals_metadata_reaches_the_translation(tmp_path, ending):
    make = {"md": make_markdown, "rst": make_rst}[ending]
    base, translation = f"x.{ending}", f"x.de.{ending}"
    index(tmp_path, **{base: make(date="2020-01-01", tags="a"), translation: make("Zwei")})
    assert get_post(translation).tag_names == ["a"]
    report = index(tmp_path, **{base: make(date="2020-01-02", tags="b", draft="true")})
    assert sorted(report.changed) == [translation, base]
    two = get_post(translation)
    assert (two.day.day, two.tag_names, two.status) == (2, ["b"], "draft")
    index(tmp_path, **{translation: make("Zwei", status="published", created="2020-01-03")})
    two = get_post(translation)
    assert (two.day.day, two.status) == (3, "published")
    (tmp_path / base).unlink()
    index_posts(tmp_path)
    assert get_post(translation).original == translation


@pytest.mark.django_db
def test_metadata_in_a_file_of_their_own_are_taken_over_too(tmp_path, client):
    root = make_repository(tmp_path / "posts")
    meta = ".. title: X\n.. date: 2020-01-0{}\n.. tags: a\n"
    own = {"x.fr.md": "Texte.\n", "x.fr.meta": ".. title: Y\n.. tags: b\n"}
    before, after = index_each_commit_then_anew(
        root,
        ([], {"x.md": ENGLISH, "x.meta": meta.format(1), **own}),
        *(([], {"x.meta": meta.format(day)}) for day in (2, 3)),
    )
    assert after == before
    assert get_post("x.fr.md").tag_names == ["b"]
    assert client.get("/2020/01/02/x-fr/")["Location"] == "/2020/01/03/x-fr/"


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["---\ntitle: [\n---\n", "---\ndate: some day\n---\n# T\n"])
def test_a_translation_keeps_its_last_good_version_while_its_original_is_broken(tmp_path, text):
    index(tmp_path, **NIKOLA)
    report = index(tmp_path, **{"rome.md": text})
    assert report.broken == ["rome.md", "rome.zh_cn.md"]
    assert addresses()["rome.zh_cn.md"] == "/2020/05/01/my-rome-zh-cn/"
    assert all(message.startswith("rome.") for message in messages(report))


def test_what_is_wrong_with_the_original_is_told_once(tmp_path):
    write_posts(tmp_path, **{
        "x.md": make_markdown(date="2020-01-01", status="nonsense"), "x.de.md": make_markdown(),
    })  # fmt: skip
    assert [path for path, _ in check_posts(tmp_path)] == ["x.md"]


# What readers see.


@pytest.mark.django_db
def test_lists_and_feeds_show_the_original_alone_and_search_finds_both(tmp_path, client):
    other = make_markdown("Other", ENGLISH, tags="[italy]", date="2020-05-20")
    index(tmp_path, **NIKOLA, **PELICAN, **{"2020-05-20-o.md": other})
    assert titles_in(client, "/") == ["Soup", "Other", "Rome"]
    assert titles_in(client, "/tags/italy/") == ["Other", "Rome"]
    assert titles_in(client, "/categories/trips/") == ["Rome"]
    index(tmp_path, **{"2021-01-01-p.md": make_markdown("New year")})
    archive = client.get("/archive/2020/").content.decode()
    assert (archive.count("<time"), archive.count('count">3<')) == (3, 1)
    for address in ("/feed/", "/rss/", "/categories/trips/feed/"):
        feed = feedparser.parse(client.get(address).content)
        assert "罗马" not in [entry.title for entry in feed.entries]
    assert titles_in(client, "/search/?q=罗马") == ["罗马"]
    assert titles_in(client, "/search/?q=Rome") == ["Rome"]


@pytest.mark.django_db
def test_a_tag_of_the_translation_alone_lists_the_translation(tmp_path, client):
    index(tmp_path, **PELICAN, **NIKOLA)
    assert titles_in(client, "/tags/食物/") == ["汤"]
    assert titles_in(client, "/tags/food/") == ["Soup"]
    tags = client.get("/tags/").content.decode()
    assert tags.count('<span class="site-count">1</span>') == 4


@pytest.mark.django_db
def test_neighbours_and_related_posts_are_never_the_translation_of_this_or_another(
    tmp_path, client
):
    others = {f"2020-0{n}-20-o.md": make_markdown(f"O{n}", tags="[italy]") for n in (4, 6)}
    index(tmp_path, **NIKOLA, **PELICAN, **others)
    for path, titles in (("2020-04-20-o.md", {"Rome"}), ("rome.zh_cn.md", {"O4", "Soup"}),
                         ("soup.md", {"Rome", "O6"})):  # fmt: skip
        page = client.get(addresses()[path]).content.decode()
        neighbours = page.partition("site-neighbours")[2].partition("</nav>")[0]
        assert {title for title in ("Rome", "罗马", "O4", "O6", "Soup", "汤")
                if f">{title}</span>" in neighbours} == titles  # fmt: skip
        assert ">罗马</a>" not in page


@pytest.mark.django_db
def test_a_series_shows_each_part_once_and_the_one_that_is_read(tmp_path, client):
    index(tmp_path, **{
        **{f"2020-01-0{n}-p.md": make_markdown(f"Part {n}", series="S") for n in (1, 2)},
        **{f"2020-01-0{n}-p.fr.md": f"# Partie {n}\n\nTexte.\n" for n in (1, 2)},
    })  # fmt: skip
    page = client.get("/2020/01/02/p-fr/").content.decode()
    series = page.partition("<ol>")[2].partition("</ol>")[0]
    parts = ("Part 1<", "Partie 1<", "Part 2<", "Partie 2<")
    assert [part for part in parts if part in series] == ["Part 1<", "Partie 2<"]


@pytest.mark.django_db
def test_a_series_of_translations_leaves_the_neighbours_what_they_are(tmp_path, client):
    text = "Title: {0}{1}\nSlug: {0}\nDate: 2020-0{1}-0{2}\n{3}\nText.\n"
    index(tmp_path, **{
        f"{name}{day}.md": text.format(name, month, day, more)
        for month, name in enumerate("ab", start=1)
        for day, more in ((1, ""), (5, "Lang: fr\nSeries: S\n"))
    })  # fmt: skip
    page = client.get(addresses()["b5.md"]).content.decode()
    assert f'<a rel="prev" href="{addresses()["a1.md"]}"' in page
    assert f'<li><a href="{addresses()["a5.md"]}">' in page


def hide(root, how):
    base = NIKOLA["rome.md"]
    own = "<!--\n.. title: 罗马\n.. status: published\n.. date: 2020-05-02\n-->\n\n文字\n"
    texts = {
        "draft": base.replace(".. tags", ".. status: draft\n.. tags"),
        "private": base.replace(".. tags", ".. status: private\n.. tags"),
        "hidden": base.replace(".. tags", ".. status: hidden\n.. tags"),
        "scheduled": base.replace("2020-05-01", "2999-05-01"),
        "never good": "---\ntitle: [\n---\n",
    }
    own = own if how != "never good" else make_markdown("罗马", date="2020-05-02")
    name = "rome.zh_cn.md" if how != "never good" else "2020-05-02-rome.md"
    index(root, **{"rome.md": texts[how], name: own})


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["draft", "private", "hidden", "scheduled", "never good"])
def test_where_nobody_can_see_the_original_the_translation_stands_for_it(tmp_path, client, how):
    hide(tmp_path, how)
    for address in ("/", "/archive/"):
        assert "罗马" in client.get(address).content.decode()
    assert (
        "Also in"
        not in client.get(Post.objects.get(title="罗马").get_absolute_url()).content.decode()
    )


@pytest.mark.django_db
def test_the_original_takes_its_place_by_the_clock(tmp_path, client, monkeypatch):
    hide(tmp_path, "scheduled")
    assert titles_in(client, "/") == ["罗马"]
    then = timezone.now() + timedelta(days=365_000)
    monkeypatch.setattr("posts.models.timezone.now", lambda: then)
    assert titles_in(client, "/") == ["Rome"]


@pytest.mark.django_db
def test_a_post_links_to_its_translations_in_their_own_words(tmp_path, client):
    index(tmp_path, **NIKOLA, **{"rome.de.md": "# Rom\n\nText.\n"})
    page = client.get("/2020/05/01/my-rome/").content.decode()
    assert ('<a href="/2020/05/01/my-rome-zh-cn/" lang="zh-cn" hreflang="zh-cn">简体中文</a>'
            in page)  # fmt: skip
    assert ">Deutsch</a>" in page
    site = "http://127.0.0.1:8000/2020/05/01/my-rome"
    for language, ending in (("en", ""), ("zh-cn", "-zh-cn"), ("de", "-de")):
        link = f'hreflang="{language}" href="{site}{ending}/"'
        assert f'<link rel="alternate" {link}>' in page
        assert client.get("/sitemap.xml").content.decode().count(link) == 3
    assert '<meta property="og:locale" content="en_US">' in page
    assert '<meta property="og:locale:alternate" content="zh_CN">' in page
    assert f'"workTranslation": [{{"@type": "BlogPosting", "url": "{site}-de/"' in page
    page = client.get("/2020/05/01/my-rome-de/").content.decode()
    assert f'"translationOfWork": {{"@type": "BlogPosting", "url": "{site}/"' in page


@pytest.mark.parametrize(
    ("language", "name", "locale"),
    [
        ("en", "English", "en_US"), ("pt-BR", "Português Brasileiro", "pt_BR"),
        ("zh-Hans", "简体中文", "zh_CN"), ("zh-tw", "繁體中文", "zh_TW"), ("zh", "中文", "zh_CN"),
        ("zh-Hans-SG", "简体中文", "zh_SG"), ("fr", "Français", ""), ("xx-latn", "xx-latn", ""),
        ("", "", ""),
    ],
)  # fmt: skip
def test_languages_are_named_as_who_speaks_them_does(language, name, locale):
    assert (native(language), og_locale(language)) == (name, locale)


@pytest.mark.django_db
def test_pages_have_translations_too_and_stand_in_the_menu_once(tmp_path, client):
    index(tmp_path, **{"about.md": f"# About\n\n{ENGLISH}\n", "about.zh.md": "# 关于\n"})
    page = client.get("/pages/about/").content.decode()
    assert '<a href="/pages/about-zh/" lang="zh" hreflang="zh">中文</a>' in page
    assert ">关于</a>" not in page


@pytest.mark.django_db
def test_the_admin_says_what_a_post_is_a_translation_of(tmp_path, admin_client):
    index(tmp_path, **NIKOLA)
    one, two = get_post("rome.md"), get_post("rome.zh_cn.md")
    for shown, linked, language in ((one, two, "zh-cn"), (two, one, "en")):
        page = admin_client.get(f"/admin/posts/post/{shown.pk}/change/").content.decode()
        link = f'<a href="/admin/posts/post/{linked.pk}/change/">{linked.path}</a> ({language})'
        assert page.count(link) == 1


@pytest.mark.django_db
def test_each_language_has_a_page_and_feeds_of_its_own(tmp_path, client):
    index(tmp_path, **{
        "2016-01-01-a.md": make_markdown("One", "Rome."),  # in the site's, as nothing tells another
        "2016-01-01-a.zh.md": make_markdown("一"),
        "2016-01-02-b.md": make_markdown("二", lang="zh-Hant"),
        "2016-01-03-c.md": make_markdown("Trois", lang="fr", status="draft"),
    })  # fmt: skip
    assert titles_in(client, "/languages/zh/") == ["二", "一"]
    assert titles_in(client, "/languages/en/") == ["One"]
    feed = feedparser.parse(client.get("/languages/zh/feed/").content)
    assert [each.title for each in feed.entries] == ["二", "一"]
    assert feed.feed.language == "zh"
    page = client.get("/tags/").content.decode()
    found = re.findall(r'href="(/languages/[^"]+)" lang="(\w+)"[^>]*>([^<]+)</a>', page)
    assert found == [("/languages/en/", "en", "English"), ("/languages/zh/", "zh", "中文")]
    for asked, status in (("/languages/fr/", 404), ("/languages/zh-Hans/", 301), ("/fr/", 404)):
        assert client.get(asked).status_code == status
    for asked, address in {
        "/zh/posts/a/": "/2016/01/01/a-zh/", "/en/posts/a/index.html": "/2016/01/01/a/",
        "/zh/": "/languages/zh/", "/zh_CN/rss.xml": "/languages/zh/rss/",
        "/feeds/all-zh.atom.xml": "/languages/zh/feed/", "/feeds/all-fr.atom.xml": "/feed/",
    }.items():  # fmt: skip
        assert client.get(asked)["Location"] == address
