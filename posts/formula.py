"""Formulas in TeX become MathML, which browsers show without script."""

from html import escape

from docutils.utils.math import MathError, latex2mathml

from posts import tex as written


class FormulaInvalid(Exception):
    """TeX that cannot be turned into MathML; says what is wrong."""


def to_mathml(tex: str, *, is_block: bool) -> str:
    """Raises FormulaInvalid."""
    try:
        return latex2mathml.tex2mathml(written.normalize(tex), as_block=is_block)
    except RecursionError as error:
        raise FormulaInvalid(f'the formula "{tex.strip()[:60]}" is nested too deep') from error
    except (MathError, IndexError, KeyError, AttributeError, ValueError, TypeError) as error:
        # The converter stumbles over malformed input in ways that it does not foresee.
        raise FormulaInvalid(f'the formula "{tex.strip()[:60]}" cannot be read: {error}') from error


def as_code(tex: str, *, is_block: bool) -> str:
    """How a formula is shown that cannot be read: as it was written."""
    code = f'<code class="math-problem">{escape(tex.strip())}</code>'
    return f"<p>{code}</p>" if is_block else code
