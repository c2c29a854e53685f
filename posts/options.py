"""Options of a directive that docutils lacks or cannot read are left out, and the rest is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from docutils.parsers.rst import Directive

# Of Sphinx, its themes and its extensions: to be missed by nobody who reads.
UNTOLD = frozenset(
    "label nowrap no-wrap number class classes name align caption dedent force collapsible open "
    "heading-level figclass figname loading widths width height scale alt linenos lineno-start "
    "emphasize-lines number-lines language noindex no-index nocontentsentry no-contents-entry "
    "no-typesetting icon color animate".split()
)


@dataclass(frozen=True)
class Dropped:
    """Stands for the value of an option that is left out; `complaint` is "" if nobody cares."""

    complaint: str = ""


class Forgiving(dict[str, Callable[[str], Any]]):
    """Takes every option, those that it does not know as Dropped."""

    def __getitem__(self, name: str) -> Callable[[str], Any]:
        known = self.get(name)

        def convert(value: str) -> Any:
            if known is None:
                told = name not in UNTOLD
                return Dropped(f'unknown option "{name}"; it is left out' if told else "")
            try:
                return known(value)
            except (ValueError, TypeError):
                return Dropped(f'the option "{name}" cannot be "{value}"; it is left out')

        return convert


def forgive(directive: type[Directive]) -> type[Directive]:
    """The same directive; one that takes no options at all has nothing to forgive."""
    if not directive.option_spec:
        return directive

    class Forgiven(directive):  # type: ignore[misc,valid-type]  # a base known when it runs
        option_spec = Forgiving(directive.option_spec or {})

        def run(self) -> Any:
            dropped = {
                name: value for name, value in self.options.items() if isinstance(value, Dropped)
            }
            for name, value in dropped.items():
                del self.options[name]
                if value.complaint:
                    self.state_machine.reporter.warning(
                        f'"{self.name}" directive: {value.complaint}.', line=self.lineno
                    )
            return super().run()

    return Forgiven
