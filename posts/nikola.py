"""Nikola's directives, and those of others for code in files of its own."""

from collections.abc import Callable
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.parsers.rst.directives import misc

from posts import choosing, exhibits, listings


class AnyOptions(dict[str, Callable[[str], Any]]):
    """Takes every option, and keeps its text."""

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, key: str) -> Callable[[str], Any]:
        return lambda value: value or ""


class Listing(Directive):
    """A place for a file of code, which posts.codes finds."""

    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = AnyOptions()
    has_content = True

    def run(self) -> list[nodes.Node]:
        name, _, language = " ".join((self.arguments or [""])[0].split()).partition(" ")
        language = language or self.options.get("language") or self.options.get("code", "")
        place = listings.make_place(name, language, self.options)
        return [nodes.raw(place, place, format="html")]


class Include(misc.Include):
    """docutils' own, which is shut, but that files of code may be shown."""

    option_spec: ClassVar[Any] = {
        **(misc.Include.option_spec or {}),
        "linenos": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        if "code" not in self.options and "literal" not in self.options:
            return list(super().run())
        options = {name: str(value or "") for name, value in self.options.items()}
        language = str(self.options.get("code") or "")
        place = listings.make_place(self.arguments[0], language, options)
        return [nodes.raw(place, place, format="html")]


class PostList(Directive):
    """A place for Nikola's list of posts, which is made when the page is shown."""

    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = AnyOptions()

    def run(self) -> list[nodes.Node]:
        options = {**choosing.load((self.arguments or [""])[0]), **self.options}
        # As the page will read them.
        for complaint in choosing.interpret(choosing.load(choosing.dump(options))).complaints:
            self.state.document.reporter.warning(complaint, line=self.lineno)
        place = choosing.make_place(options)
        return [nodes.raw(place, place, format="html")]


class Gallery(Directive):
    """A place for the pictures of a gallery, which posts.exhibitions finds."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = AnyOptions()

    def run(self) -> list[nodes.Node]:
        place = exhibits.make_places(" ".join(self.arguments[0].split()))
        return [nodes.raw(place, place, format="html")]


class Slides(Directive):
    """The pictures, one beneath the other: no script turns pages here."""

    option_spec: ClassVar[Any] = AnyOptions()
    has_content = True

    def run(self) -> list[nodes.Node]:
        names = filter(None, map(str.strip, self.content))
        return [nodes.figure("", nodes.image(uri=directives.uri(name))) for name in names]


class Chart(Directive):
    """The numbers of Nikola's chart, as they are written, under its title."""

    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = AnyOptions()
    has_content = True

    def run(self) -> list[nodes.Node]:
        title = self.options.get("title", "").strip("'\"")
        numbers = "\n".join(self.content)
        caption = [nodes.paragraph(title, title)] if title else []
        return [*caption, nodes.literal_block(numbers, numbers)]
