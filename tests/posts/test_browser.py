"""The blog in a real browser: without script, by keyboard, narrow, dark, and for everybody."""

import json
import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.posts.blogs import index, make_markdown, write_posts
from tests.posts.pictures import write_pictures
from tests.posts.previews import running_preview

pytestmark = pytest.mark.django_db(transaction=True)

WIDE = "word" * 60
BODY = f"""
Text with `code`, **emphasis**, *强调*, [a link](2016-01-02-b.md) and a footnote[^1].

[^1]: Here.

## First 第一

| a | b | {WIDE} |
|---|--:|---|
| 1 | 2 | 3 |

## Second

```python {{linenos hl_lines="1"}}
def f(x: int) -> str:  # {WIDE}
    return "a" + 'b' % 3
```

## Third

> A quotation.

!!! warning "Careful"
    An admonition.

$$
\\sum_{{k=1}}^n \\frac{{k}}{{2}}
$$

- [x] done

![A picture](p.png)
"""
PAGES = ("/", "/2016/01/01/a/", "/2016/01/02/b/", "/archive/", "/archive/2016/", "/tags/",
         "/tags/x/", "/categories/c/", "/series/s/", "/search/?q=text", "/pages/about/",
         "/2016/01/03/c/", "/authors/jane/", "/pages/galleries/", "/pages/rome/",
         "/2016/01/05/e/",
         "/nothing/")  # fmt: skip


@pytest.fixture
def site(tmp_path, live_server, settings):
    settings.POSTS_DIR = tmp_path
    write_pictures(tmp_path, *(f"galleries/rome/0{number}_{WIDE[:30]}.png" for number in range(6)))
    index(tmp_path, **{
        "galleries/rome/index.txt": ".. title: Rome\n\nText.\n",
        "galleries/rome/metadata.yml": f"name: 03_{WIDE[:30]}.png\ncaption: A caption, {WIDE}\n",
        "galleries/rome/broken.png": "no picture",
        "2016-01-05-e.md": "# E\n\n## a\n\n{{% gallery rome %}}\n\n## b\n\n## c\n",
        "2016-01-01-a.md": make_markdown(
            "A post", BODY, tags="[x, 标签]", series="S", category="C"
        ),
        "2016-01-02-b.md": make_markdown("文章", "中文的正文。" * 30, tags="[x]", series="S"),
        "2016-01-03-c.rst": "Rst\n====\n\n:author: Jane\n\n.. note:: N\n\n.. [1] F\n\nSee [1]_.\n"
                            "\n.. [Knu84] A book\n\nSee [Knu84]_, [#]_.\n\n.. [#] F\n"
                            "\nT\n----\n\n.. post-list::\n\n.. listing:: a.py python\n\n"
                            ".. youtube:: x",
        "listings/a.py": f"import os  # {WIDE}\n",
        "2016-01-04-d.md": make_markdown("D", author="Ric"),
        "about.md": "# About\n",
    })  # fmt: skip
    return live_server.url


@pytest.fixture(scope="module")
def browser():
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.skip("Chromium is not installed")
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    # Playwright runs a loop in this thread, in which Django would refuse the test's own queries.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def open_page(browser, **options) -> Page:
    return browser.new_context(**options).new_page()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_offends_axe(site, browser, scheme):
    place = os.environ.get("AXE_CORE")
    if not place:
        pytest.skip("AXE_CORE does not name axe-core's axe.min.js (npm install axe-core)")
    page = open_page(browser, color_scheme=scheme)
    for address in PAGES:
        page.goto(site + address)
        page.evaluate(Path(place).read_text(encoding="utf-8"))
        result = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', "
                               "'best-practice']})")  # fmt: skip
        offences = [
            (found["id"], [node["html"][:120] for node in found["nodes"]])
            for found in result["violations"]
        ]
        assert offences == [], f"{address}: {json.dumps(offences, indent=1)}"


@pytest.mark.parametrize("width", [320, 360, 1600])
def test_no_page_is_wider_than_the_screen(site, browser, width):
    page = open_page(browser, viewport={"width": width, "height": 800})
    for address in PAGES:
        page.goto(site + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_everything_can_be_read_without_script(site, browser):
    page = open_page(browser, java_script_enabled=False)
    page.goto(f"{site}/2016/01/01/a/")
    assert "An admonition." in page.inner_text("main")
    assert not page.is_visible("#site-theme")


def test_the_switch_between_light_and_dark_remembers(site, browser):
    page = open_page(browser, color_scheme="light")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(site)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#site-theme")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.goto(f"{site}/archive/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    assert page.get_attribute("#site-theme", "aria-pressed") == "true"
    assert errors == []


def test_the_keyboard_reaches_the_text_first(site, browser):
    page = open_page(browser)
    page.goto(f"{site}/2016/01/01/a/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "site-skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#site-main")


def test_print_shows_the_text_and_not_the_menu(site, browser):
    page = open_page(browser)
    page.goto(f"{site}/2016/01/01/a/")
    page.emulate_media(media="print")
    assert not page.is_visible(".site-menu")
    assert page.is_visible(".site-body")


def test_on_paper_nothing_but_headings_is_larger_than_the_text(site, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.emulate_media(media="print")
    page.goto(f"{site}/2016/01/01/a/")
    selectors = [".site-body > p", ".footnotes p", "td", ".site-meta"]
    size = "each => parseFloat(getComputedStyle(document.querySelector(each)).fontSize)"
    sizes = page.evaluate(f"all => all.map({size})", selectors)
    page.close()
    assert sizes[0] == max(sizes) < 15, sizes


def test_what_was_found_stands_apart_from_how_much_it_is(site, browser):
    page = browser.new_page()
    page.goto(f"{site}/search/?q=text")
    above, below = (page.locator(each).first.bounding_box() for each in
                    ("[role=status]", ".site-entry"))  # fmt: skip
    page.close()
    assert below["y"] - above["y"] - above["height"] > 24


def test_paper_is_white_however_dark_the_screen(site, browser):
    page = open_page(browser, color_scheme="dark")
    page.goto(f"{site}/2016/01/01/a/")
    page.emulate_media(media="print", color_scheme="dark")
    colors = (
        "[document.body, document.querySelector('.highlight .k')].map(each => "
        "[getComputedStyle(each).color, getComputedStyle(each).backgroundColor])"
    )
    dark = page.evaluate(colors)
    page.emulate_media(media="print", color_scheme="light")
    assert page.evaluate(colors) == dark
    assert dark[0] == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.evaluate(colors) == dark


def test_lines_of_chinese_stand_apart_only_where_they_are_text(site, browser):
    """A line height that every element of a language sets for itself would spread its headings."""
    page = open_page(browser)
    page.goto(site)
    heights = page.eval_on_selector_all(
        ".site-entry:lang(zh) .site-entry-title, .site-entry:lang(zh) .site-entry-title a",
        "all => all.map(each => parseFloat(getComputedStyle(each).lineHeight))",
    )
    assert len(set(heights)) == 1


def test_the_preview_changes_by_itself_while_somebody_writes(tmp_path, browser):
    posts = tmp_path / "posts"
    name, draft = "2016-01-01-a.md", "---\nstatus: draft\n---\n# {}\n\n[x](lost.md)\n"
    write_posts(posts, **{name: draft.format("Before")})
    with running_preview(posts, tmp_path / "data") as (url, _):
        page = open_page(browser)
        page.goto(url)
        page.get_by_role("link", name="Before").click(timeout=20_000)
        assert "draft" in page.inner_text(".site-notice >> nth=0")
        assert f"{name}:6: the link lost.md leads nowhere" in page.inner_text("main")
        write_posts(posts, **{name: draft.format("After")})
        page.wait_for_selector("h1:text('After')", timeout=20_000)
        write_posts(posts, **{name: "---\ntitle: [\n---\nx", "2016-01-02-b.md": "---\nx: {\n---\n"})
        page.wait_for_selector(f"text=/{name}:[0-9]+: the metadata cannot be read/", timeout=20_000)
        assert page.inner_text("h1") == "After"
        assert "2016-01-02-b.md:" in page.inner_text("main")
        assert "Traceback" not in page.content()
        (posts / "2016-01-02-b.md").unlink()
        write_posts(posts, **{name: draft.format("Mended")})
        page.wait_for_selector("h1:text('Mended')", timeout=20_000)
        assert page.locator("text=cannot be read").count() == 0
