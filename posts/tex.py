r"""TeX as people write it, made what docutils' converter reads: `\frac12` is `\frac{1}{2}`."""

import re

TOKEN = re.compile(r"\\(?:[a-zA-Z]+|.)|\s+|.", re.DOTALL)
DISTANCE = re.compile(r"-?[\d.]+ ?(?:pt|em|ex|mm|cm|in|mu|px)\]")

ACCENTS = frozenset(
    "acute bar breve check dot ddot dddot ddddot grave hat mathring tilde vec overline "
    "overrightarrow widehat widetilde underline".split()
)
# How many arguments follow; TeX takes a single token for one.
ARGUMENTS = {
    **dict.fromkeys("frac dfrac tfrac cfrac binom dbinom tbinom overset underset".split(), 2),
    **dict.fromkeys(ACCENTS, 1),
    **dict.fromkeys(
        "sqrt overbrace overleftarrow overleftrightarrow underbrace underleftarrow "
        "underleftrightarrow underrightarrow xleftarrow xrightarrow "
        "mathbb mathbf mathbfit mathcal mathfrak mathit mathrm mathscr mathsf "
        "mathtt phantom boxed pmod mod pod".split(),
        1,
    ),
}
WITH_OPTION = frozenset("sqrt cfrac xleftarrow xrightarrow".split())
# Their argument is no formula.
VERBATIM = frozenset("text mbox textrm operatorname hspace mspace".split())
# The next token is a sign, whatever it means elsewhere.
DELIMITED = frozenset("left right bigl bigr Bigl Bigr biggl biggr Biggl Biggr".split())
SIGNS = {"<": r"\langle ", ">": r"\rangle "}
# What says nothing that MathML would show.
SILENT = frozenset(
    "nonumber notag hline big Big bigg Bigg middle mathop mathbin mathrel mathord mathopen "
    "mathclose mathpunct mathinner".split()
)
OTHERWISE = {
    "iff": r"\Longleftrightarrow", "bm": r"\mathbfit", "boldsymbol": r"\mathbfit",
    "pmb": r"\mathbfit", "stackrel": r"\overset", "dots": r"\ldots", "lt": "<", "gt": ">",
    "degree": r"^{\circ}", "enspace": r"\;", "textbf": r"\text", "textit": r"\text",
    "texttt": r"\text", "textsf": r"\text", "textnormal": r"\text",
}  # fmt: skip
ENVIRONMENTS = {
    **dict.fromkeys("align flalign split alignat alignedat aligned".split(), "aligned"),
    **dict.fromkeys("gather gathered multline eqnarray array subarray".split(), "matrix"),
    **dict.fromkeys("equation displaymath math".split(), ""),
    "dcases": "cases",
}
WITH_COLUMNS = frozenset("alignat alignedat array subarray".split())


def normalize(tex: str) -> str:
    """The same formula; what this does not know stays as it is."""
    return Rewriter(tex).rewrite_all()


class Rewriter:
    def __init__(self, tex: str) -> None:
        self.tokens = TOKEN.findall(tex)
        self.at = 0

    def rewrite_all(self) -> str:
        parts = []
        while self.at < len(self.tokens):
            parts.append(self.rewrite_next())
        return "".join(parts)

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        piece = self.peek()
        self.at += 1
        return piece

    def skip(self, sign: str = "") -> bool:
        """Pass over white space, and over the sign if it follows."""
        while self.peek().isspace():
            self.at += 1
        is_there = bool(sign) and self.peek() == sign
        self.at += is_there
        return is_there

    def rewrite_next(self) -> str:
        piece = self.take()
        if piece == "{":
            return f"{{{self.rewrite_until('}')}}}"
        if piece in ("^", "_"):
            return piece + self.read_argument()
        if piece.startswith("\\") and len(piece) > 1:
            return self.rewrite_command(piece[1:])
        return " " if piece.isspace() else piece

    def rewrite_until(self, end: str) -> str:
        parts = []
        while self.peek() not in ("", end):
            parts.append(self.rewrite_next())
        self.at += 1
        return "".join(parts)

    def read_argument(self) -> str:
        """In braces; "" where the formula, or what it stands in, ends before it."""
        self.skip()
        if self.peek() in ("", "}", "&", r"\\", r"\end"):
            return ""
        return self.rewrite_next() if self.peek() == "{" else f"{{{self.rewrite_next()}}}"

    def read_verbatim(self) -> str:
        self.skip()
        if self.peek() != "{":
            return self.take()
        start, depth = self.at + 1, 0
        while self.at < len(self.tokens):
            piece = self.take()
            depth += (piece == "{") - (piece == "}")
            if not depth:
                return "".join(self.tokens[start : self.at - 1])
        return "".join(self.tokens[start:])

    def rewrite_command(self, name: str) -> str:
        if name in SILENT:
            return ""
        if name == "\\":
            return self.rewrite_row_end()
        if name in ("begin", "end"):
            return self.rewrite_environment(name)
        if name == "label":
            self.read_verbatim()
            return ""
        if name == "tag":
            is_bare = self.skip("*")
            words = self.read_verbatim()
            return rf"\qquad\text{{{words if is_bare else f'({words})'}}}"
        if name in ("ref", "eqref"):
            return rf"\text{{({self.read_verbatim()})}}"
        command = OTHERWISE.get(name, f"\\{name}")
        command += self.rewrite_rest(command[1:])
        # The converter would take what follows an accented letter for limits.
        return f"{{{command}{{}}}}" if name in ACCENTS and self.peek() in ("^", "_") else command

    def rewrite_rest(self, name: str) -> str:
        """What follows a command and belongs to it."""
        if name in DELIMITED:
            self.skip()
            return SIGNS.get(sign := self.take(), sign)
        if name in VERBATIM:
            if name == "operatorname":
                self.skip("*")
            return f"{{{self.read_verbatim()}}}"
        option = ""
        if name in WITH_OPTION and self.skip("["):
            option = f"[{self.rewrite_until(']')}]"
        return option + "".join(self.read_argument() for _ in range(ARGUMENTS.get(name, 0)))

    def rewrite_row_end(self) -> str:
        r"""`\\*[2pt]` is `\\`; the last one before the end would make an empty row."""
        self.at += self.peek() == "*"
        before = self.at
        if self.skip("["):
            found = DISTANCE.match("".join(self.tokens[self.at : self.at + 20]))
            if found:
                before = self.at + found.end()
        self.at = before
        self.skip()
        return "" if self.peek() in ("", r"\end") else r"\\ "

    def rewrite_environment(self, word: str) -> str:
        written = self.read_verbatim()
        name = written.removesuffix("*")
        if word == "begin" and name in ENVIRONMENTS:
            if self.peek() == "[":
                self.rewrite_until("]")
            if name in WITH_COLUMNS:
                self.read_verbatim()
        known = ENVIRONMENTS.get(name, written)
        return rf"\{word}{{{known}}}" if known else " "
