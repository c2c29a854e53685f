"""What the two markups give: Sphinx' words, formulas, code, ids, Chinese."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posts import headers, markdown, markup, metadata, reading, rst


def from_rst(text: str) -> markup.Page:
    return markup.finish(rst.render(text).html)


def from_markdown(text: str) -> markup.Page:
    return markup.finish(markdown.render(text).html)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (":func:`os.path.join`", "<code>os.path.join</code>"),
        (":func:`~os.path.join`", "<code>join</code>"),
        (":ref:`the title <label>`", "the title"),
        (":unheard-of:`words`", "words"),
        (":py:class:`!Thing`", "<code>Thing</code>"),
        (":pep:`8`", '<a href="https://peps.python.org/pep-0008/">PEP 8</a>'),
        (":pep:`style <8#naming>`", '<a href="https://peps.python.org/pep-0008/#naming">style</a>'),
        (":rfc:`2822`", "rfc2822"),
        (":index:`idx`", "<span>idx</span>"),
        (":index:`the words <pair: a; b>`", "<span>the words</span>"),
        (":kbd:`Ctrl`", "<code>Ctrl</code>"),
        (':abbr:`HTML (a "language")`', '<abbr title="a &quot;language&quot;">HTML</abbr>'),
        (":abbr:`HTML`", "<abbr>HTML</abbr>"),
    ],
)
def test_sphinx_roles_become_text(text, html):
    document = rst.render(f"Before {text} after.\n")
    assert html in markup.finish(document.html).body
    assert document.problems == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (".. versionadded:: 3.5", "New in version 3.5"),
        (".. versionadded:: 3.5 The *why*.", "New in version 3.5: The why."),
        (".. deprecated-removed:: 3.5 4.0 Why.", "since version 3.5, removed in 4.0: Why."),
        (".. unheard-of:: argument\n   :option: x\n\n   Its content.", "Its content."),
        (".. seealso:: Another thing.", "Another thing."),
        (".. toctree::\n\n   a\n   b", ""),
        (".. youtube:: 8N_tupPBtWQ", "https://www.youtube.com/watch?v=8N_tupPBtWQ"),
        (".. py:function:: f(x)\n\n   Does it.", "Does it."),
    ],
)
def test_sphinx_directives_become_text(text, words):
    document = rst.render(text + "\n")
    assert words in markup.finish(document.html).text
    assert document.problems == []


def test_references_within_a_file_lead_to_what_they_name():
    page = from_rst(
        ".. contents::\n\n"
        "See :ref:`setup`, :ref:`this <The Plot>`, :ref:`elsewhere` and :ref:`x <elsewhere>`.\n\n"
        ".. _setup:\n\nSetting *up*\n------------\n\nText.\n\n"
        ".. _the plot:\n\n.. figure:: p.png\n\n   A plot.\n\nB :ref:`setup`\n------------\n\n"
        "More: :ref:`sum`, :ref:`fig`, :ref:`site`, :ref:`html`.\n\n.. _sum:\n\n.. math:: x\n\n"
        ".. figure:: p.png\n   :name: fig\n\n   Named.\n\n.. _site: https://example.org/\n\n"
        ".. _html:\n\n.. raw:: html\n\n   <p>x</p>\n"
    )
    links = dict(re.findall(r'<a [^>]*href="#([^"]+)"[^>]*>([^<]+)</a>', page.body))
    assert links == {
        "setup": "Setting up", "the-plot": "this", "sum": "sum", "fig": "Named.",
        "b-setting-up": "B Setting up",
    }  # fmt: skip
    assert set(links) <= page.ids
    assert "https://example.org/" in page.absolutes
    assert "elsewhere and x." in page.text


def test_what_a_term_is_stands_behind_it():
    page = from_rst("term : kind\n   Text.\n")
    assert '<dt>term : <span class="classifier">kind</span></dt>' in page.body


def test_slides_are_pictures_one_beneath_the_other():
    page = from_rst(".. slides::\n\n   /images/a.png\n   b.jpg\n")
    assert page.targets == ["/images/a.png", "b.jpg"]
    assert page.body.count("<img") == 2


def test_what_docutils_has_works():
    page = from_rst(
        ".. contents:: 目录\n\n第一节\n------\n\n.. note:: N\n\n.. figure:: a.png\n   :alt: A\n\n"
        "   Caption\n\n=== ===\n a   b\n=== ===\n 1   2\n=== ===\n\nX [1]_ and [CIT]_.\n\n"
        ".. [1] Foot.\n.. [CIT] Cited.\n\n第二节\n------\n\nEnd.\n"
    )
    assert 'href="#第一节"' in page.body or 'href="#%E7%AC%AC' in page.body
    for piece in ('class="admonition note"', "<figcaption>", "<table", 'role="doc-footnote"',
                  'class="citation"'):  # fmt: skip
        assert piece in page.body
    assert page.fragments
    assert set(page.fragments) <= page.ids


@pytest.mark.parametrize("render", [from_rst, from_markdown])
def test_formulas_are_mathml(render):
    text = (
        ":math:`e^{i\\pi}`\n\n.. math::\n\n   \\frac{a}{b}\n"
        if render is from_rst
        else "$e^{i\\pi}$ and\n\n$$\n\\frac{a}{b}\n$$\n"
    )
    body = render(text).body
    assert "<msup>" in body
    assert '<math display="block">' in body
    assert "<mfrac>" in body


def test_a_formula_that_cannot_be_read_is_shown_as_written_and_told():
    document = markdown.render("A\n\n$\\nonsense x$\n")
    assert "math-problem" in document.html
    assert document.problems[0].message.startswith("the formula")
    assert rst.render(":math:`\\nonsense x`\n").problems


def test_prices_are_no_formulas():
    assert "<math" not in from_markdown("From $5 to $10, and $x $y.").body


@pytest.mark.parametrize(
    "text",
    [
        ".. code-block:: python\n   :linenos:\n   :emphasize-lines: 2\n\n   a = 1\n   b = 2\n",
        ".. code:: python\n   :number-lines:\n   :hl_lines: 2\n\n   a = 1\n   b = 2\n",
    ],
)
def test_code_in_rst_has_numbers_and_emphasised_lines(text):
    body = from_rst(text).body
    assert '<span class="linenos">1</span>' in body
    assert body.count('class="hll"') == 1


def test_code_in_rst_is_not_numbered_when_it_says_none():
    body = from_rst(".. code-block:: python\n   :linenos: none\n\n   a = 1\n").body
    assert "linenos" not in body
    assert '<span class="n">a</span>' in body


def test_code_in_markdown_has_numbers_and_emphasised_lines():
    body = from_markdown('```python {linenos hl_lines="2"}\na = 1\nb = 2\n```\n').body
    assert '<span class="linenos">1</span>' in body
    assert body.count('class="hll"') == 1
    assert '<span class="n">a</span>' in body


@pytest.mark.parametrize(
    "options",
    [
        '{linenos=table,hl_lines=[1,"3-4"],linenostart=199}',
        'linenostart="199" hl_lines="1 3-4"',
        "{linenostart=199, hl_lines=[1,3-4]}",
    ],
)
def test_fences_take_options_in_every_spelling(options):
    body = from_markdown(f"```python {options}\na\nb\nc\nd\n```\n").body
    assert '<span class="linenos">199</span>' in body
    assert '<span class="linenos">202</span>' in body
    assert body.count('class="hll"') == 3


def test_code_in_a_language_that_nobody_knows_is_shown_plain():
    assert "x &lt; y" in from_markdown("```nonsense\nx < y\n```\n").body


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("- [x] done\n- [ ] open", "☑ done"),
        ("~~gone~~", "<s>gone</s>"),
        ("https://example.org", '<a href="https://example.org">'),
        ("| a | b |\n|--:|---|\n| 1 | 2 |", '<th class="align-right">'),
        ("x[^1]\n\n[^1]: Foot.", 'class="footnotes"'),
        ("Term\n: Meaning", "<dt>Term</dt>"),
        ('!!! note "T"\n    Text.', "admonition note"),
        ("    :::python\n    a = 1", '<span class="n">a</span>'),
        ("**粗体。**字", "<strong>粗体。</strong>字"),
        ("字**“引”**字", "<strong>“引”</strong>字"),
        ("这是**重点（注）**吗", "<strong>重点（注）</strong>吗"),
        ("*a*b 2*3*4 snake_case_word", "snake_case_word"),
    ],
)
def test_markdown_has_what_blogs_use(text, html):
    assert html in from_markdown(text + "\n").body


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("https://x.org/b，好。", '<a href="https://x.org/b">https://x.org/b</a>，好。'),
        ("www.x.com。", '<a href="http://www.x.com">www.x.com</a>。'),
        ("见http://x.org", '见<a href="http://x.org">http://x.org</a>'),
        ("（见www.x.org）。", '见<a href="http://www.x.org">www.x.org</a>）'),
        ("“https://x.org”", "“<a"),
        ("https://zh.wikipedia.org/wiki/C语言。", ">https://zh.wikipedia.org/wiki/C语言</a>。"),
        ("http://x.org的", ">http://x.org</a>的"),
        ("http://例子.中国/", 'href="http://xn--fsqu00a.xn--fiqs8s/"'),
        ("xhttp://x.org", "<p>xhttp://x.org</p>"),
        ("写a@b.org。", '<a href="mailto:a@b.org">a@b.org</a>。'),
        ("[见http://x.org，](/y)", ">见http://x.org，</a>"),
    ],
)
def test_addresses_end_where_chinese_text_goes_on(text, html):
    assert html in from_markdown(text + "\n").body


def test_headings_have_ids_in_their_own_script():
    page = from_markdown("# T\n\n## 为什么 用 rst？\n\n## 为什么 用 rst？\n\n## C++ & Go\n")
    assert [heading.id for heading in page.headings] == ["为什么-用-rst", "为什么-用-rst-2", "c-go"]
    sections = from_rst("T\n====\n\n为什么\n------\n\nx\n\n为什么\n------\n\ny\n")
    assert [heading.id for heading in sections.headings] == ["为什么", "为什么-2"]


@pytest.mark.parametrize("tags", ["Draft, x", ["x", "PRIVATE"]])
def test_nikolas_tags_for_drafts_count_in_any_case(tags):
    meta, _ = metadata.interpret({"tags": tags})
    assert (meta.status in ("draft", "private"), meta.tags) == (True, ["x"])


def test_metadata_that_would_fill_the_memory_is_refused():
    bomb = "\n".join(f"k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))
    with pytest.raises(headers.HeaderInvalid, match="alias") as refusal:
        headers.split_markdown(f"---\nk0: &a0 x\n{bomb}\n---\n")
    assert refusal.value.line == 3
    with pytest.raises(headers.HeaderInvalid, match="KB"):
        headers.split_markdown(f"---\ntitle: {'x' * 70_000}\n---\n")


def test_numbers_of_lines_are_no_part_of_the_text():
    page = from_markdown("```python {linenos}\ndef f():\n    pass\n```\n")
    assert '<span class="linenos">1' in page.body
    assert "".join(page.text.split()) == "deff():pass"


def test_the_only_h1_is_the_title():
    assert "<h1" not in from_markdown("# T\n\n# Second\n\n## Third\n\n<h1>Raw</h1>\n").body


def test_tags_of_signs_alone_have_addresses_of_their_own():
    slugs = [reading.slugify(tag) for tag in ("🎉", "🚀", "?", "!", "..", "🎉🚀")]
    assert len(set(slugs)) == 6
    assert slugs[0] == "u+1f389"


def test_reading_time_counts_characters_in_chinese_and_words_in_english():
    assert reading.count_minutes("字" * 1200) == 3
    assert reading.count_minutes("word " * 660) == 3
    assert reading.count_minutes("") == 1


def test_languages_are_guessed_by_script():
    assert reading.guess_language("这是一篇关于 Python 的文章，内容不少。" * 3) == "zh-Hans"
    assert reading.guess_language("An English text of some words. " * 9) == "en"
    assert reading.guess_language("Rome wasn’t built in a day.") == "en"
    for text in ("Ceci est un texte. " * 9, "Voir The Wire", "for x in y:\n    print(x)\n" * 9,
                 "Wat is dit?", "Das ist der Text. " * 9, "See x."):  # fmt: skip
        assert reading.guess_language(text) == "", text
    assert reading.guess_language("これはにほんごのぶんしょうですからカナがおおい") == "ja"


fragments = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(["\n\n", "`", "``", "*", "**", ".. ", "::", "\n   ", "====\n", "<a>",
                         "[x](",
                         "$$", "```", "|", "- ", "> ", ":role:`x`", ".. image:: x\n", "\t", "_ ",
                         "---\n", ".. title: x\n", "Title: y\n", "&#0;", "{x}", "!!! "]),
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(fragments)
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_the_parsers(text):
    from posts.source import clean

    text = clean(text.encode("utf-8", "replace").decode())
    kinds = ((headers.split_rst, rst.render), (headers.split_markdown, markdown.render))
    for split, render in kinds:
        try:
            header = split(text)
        except headers.HeaderInvalid:
            continue
        metadata.interpret(header.values)
        page = markup.finish(render(header.body, first_line=header.body_line).html)
        assert "<script" not in page.body


@pytest.mark.parametrize("before", [
    ".. note::\n   Remark.\n",
    ".. canonical-doc:: :mod:`python:tomllib`\n",
    ".. topic:: Topic\n\n   Remark.\n",
    ".. contents:: Contents\n",
    ":Field: Remark\n:Other: Remark\n",
    "=== ===\na   Remark\n=== ===\n",
    ".. versionadded:: 3\n   Remark.\n",
    ".. figure:: a.png\n\n   Remark.\n",
    ".. image:: a.png\n",
])  # fmt: skip
def test_a_text_begins_with_its_first_paragraph(before):
    text = f"Words.\n\n{before}\nFirst\n=====\n\nThe text.\n\nMore.\n\nB\n=\n"
    page = markup.finish(rst.render(text.removeprefix("Words.\n\n"), has_title=True).html)
    assert page.first_paragraph == "The text."
    assert from_rst(text).first_paragraph == "Words."


def test_a_remark_is_the_beginning_where_there_is_nothing_else():
    assert from_rst(".. note::\n\n   Remark.\n").first_paragraph == "Remark."
    assert from_markdown('!!! note "Title"\n    Remark.\n').first_paragraph == "Remark."
    assert from_markdown('!!! note "Title"\n    Remark.\n\nText.').first_paragraph == "Text."
