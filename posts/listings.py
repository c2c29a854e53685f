"""Code that lies in a file of its own and that a post shows: `listing`, `literalinclude`."""

import re
from collections.abc import Collection, Mapping
from html import escape
from posixpath import dirname, normpath
from urllib.parse import parse_qsl, urlencode

from posts.highlight import highlight, parse_lines

# What stands there is no address but the code itself.
CODE = "link://code/"
MARK = re.compile("\ufdd4([0-9]{1,9})\ufdd5")


def mark(number: int) -> str:
    return f"\ufdd4{number}\ufdd5"


def make_place(name: str, language: str, options: Mapping[str, str]) -> str:
    """HTML that posts.markup knows for the place of a file of code."""
    wanted = {**options, "language": language, "name": name}
    return f'<div class="code-file" data-code="{escape(urlencode(wanted))}"></div>'


def make_target(options: str) -> str:
    return CODE + options[:1000]


def read_target(target: str) -> dict[str, str]:
    return dict(parse_qsl(target.removeprefix(CODE), keep_blank_values=True))


def find_file(target: str, source: str, files: Collection[str]) -> str | None:
    """The file that the post `source` means: beside it, from the top, or in a folder of code."""
    name = read_target(target).get("name", "").lstrip("/")
    places = (f"{dirname(source)}/{name}".lstrip("/"), name, f"listings/{name}", f"code/{name}")
    return next((path for path in map(normpath, places) if path in files), None)


def show_name(target: str) -> str:
    """What stands where no code can be shown."""
    return f"<p><code>{escape(read_target(target).get('name', ''))}</code></p>"


def show(target: str, text: str, *, is_plain: bool = False) -> str:
    """The code as HTML, with colours unless it is to be plain."""
    options = read_target(target)
    name = options.get("caption") or options.get("name", "")
    lines = text.splitlines(keepends=True)
    wanted = parse_lines(options.get("lines", ""))
    if wanted:
        code = "".join(lines[number - 1] for number in wanted if 0 < number <= len(lines))
    else:
        code = "".join(lines[read_number(options, "start-line") : read_number(options, "end-line")])
    html = highlight(
        code.rstrip() + "\n",
        "" if is_plain else options.get("language", ""),
        first_line=find_first_line(options),
        emphasized=options.get("emphasize-lines") or options.get("hl_lines", ""),
    )
    # By keyboard, long lines are moved once the code has the focus.
    html = html.replace("<pre>", '<pre tabindex="0">', 1)
    return f'<p class="code-caption">{escape(name)}</p>{html}'


def find_first_line(options: Mapping[str, str]) -> int | None:
    """docutils writes `number-lines: 5`, Sphinx `lineno-start`, Pygments `linenos`."""
    for name in ("lineno-start", "linenostart", "number-lines", "linenos", "linenumbers"):
        if options.get(name, "none").lower() not in ("none", "false"):
            return int(options[name]) if re.fullmatch(r"[0-9]{1,6}", options[name]) else 1
    return None


def read_number(options: Mapping[str, str], name: str) -> int | None:
    found = re.fullmatch(r"-?[0-9]{1,6}", options.get(name, ""))
    return int(found[0]) if found else None
