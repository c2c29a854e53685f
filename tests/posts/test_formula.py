"""TeX as people write it."""

import re

import pytest

from posts import formula, markdown, markup, rst
from posts.tex import normalize


def convert(tex: str) -> str:
    return re.sub(r"\s*\n\s*|<math[^>]*>|</math>", "", formula.to_mathml(tex, is_block=True))


HALF = "<mfrac><mn>1</mn><mn>2</mn></mfrac>"


@pytest.mark.parametrize(("tex", "mathml"), [
    (r"\frac12", HALF),
    (r"\frac12 + x", f"{HALF}<mo>+</mo><mi>x</mi>"),
    (r"\left\{\frac12\right\}", f"<mrow><mo>{{</mo>{HALF}<mo>}}</mo></mrow>"),
    (r"\sqrt2x", "<msqrt><mn>2</mn></msqrt><mi>x</mi>"),
    (r"\sqrt[3]2", "<mroot><mn>2</mn><mn>3</mn></mroot>"),
    ("x^12", "<msup><mi>x</mi><mn>1</mn></msup><mn>2</mn>"),
    (r"x^\frac12", f"<msup><mi>x</mi>{HALF}</msup>"),
    (r"x_\alpha", "<msub><mi>x</mi><mi>α</mi></msub>"),
    (r"\bm{x}+y", "<mi>𝒙</mi><mo>+</mo><mi>y</mi>"),
    (r"a\nonumber\label{x}", "<mi>a</mi>"),
    (r"a\tag{1}", '<mi>a</mi><mspace width="2em"></mspace><mtext>(1)</mtext>'),
    (r"a\iff b", "<mi>a</mi><mo>⟺</mo><mi>b</mi>"),
])  # fmt: skip
def test_tex_means_what_it_means_to_tex(tex, mathml):
    assert convert(tex) == mathml


@pytest.mark.parametrize("tex", [
    r"\begin{align}a&=b\\[2pt]c&=d\\\end{align}",
    r"\begin{align*}a&=b\\c&=d\end{align*}",
    r"\begin{aligned}[t]a&=b\\c&=d\end{aligned}",
    r"\begin{alignat}{2}a&=b\\c&=d\end{alignat}",
    r"\begin{gather}a&=b\\*c&=d\end{gather}",
    r"\begin{equation}\begin{split}a&=b\\c&=d\end{split}\end{equation}",
    r"\begin{array}{r|l}a&=b\\\hline c&=d\end{array}",
])  # fmt: skip
def test_environments_of_amsmath_are_tables(tex):
    page = markup.finish(formula.to_mathml(tex, is_block=True)).body
    assert (page.count("<mtr>"), page.count("<mtd>")) == (2, 4)
    assert ("ams-align" in page) == ("ali" in tex or "split" in tex)


@pytest.mark.parametrize("tex", [r"\text{a $x$ b}", r"\alpha*b", r"\left(x\right)", "f'", r"a\,b"])
def test_what_is_clear_stays_as_it_is(tex):
    assert normalize(tex) == tex


def test_a_formula_too_deep_is_shown_as_written():
    tex = "{" * 3000 + "x" + "}" * 3000
    document = markdown.render(f"Words ${tex}$.\n")
    assert "math-problem" in document.html
    assert "nested too deep" in document.problems[0].message


def test_a_bad_formula_is_told_once_on_its_own_line():
    text = "Words :math:`a`\nand :math:`\\bad1`.\n\n.. math:: \\bad2\n\n- Item\n  :math:`\\bad3`\n"
    lines = [(each.line, each.message[:18]) for each in rst.render(text, first_line=11).problems]
    assert lines == [(n, f'the formula "\\bad{i}') for i, n in ((1, 12), (2, 14), (3, 17))]
    text = "Words $a$\nand $\\bad1$.\n\n$$\\bad2$$\n\n- Item\n  $\\bad3$\n"
    found = markdown.render(text, first_line=11).problems
    assert [(each.line, each.message[:18]) for each in found] == lines


def test_a_problem_is_one_line_however_long_the_formula():
    found = markdown.render("\\begin{align}\na\n\\bad\n\\end{align}\n").problems
    assert [len(each.message.splitlines()) for each in found] == [1]
