"""Django's reports of errors (for DEBUG and for e-mail to ADMINS), without the site's secrets."""

from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter

from deployhooks.redaction import configured_redactor


class CleanReporter(ExceptionReporter):
    """Django hides settings by their names; here go the values too, wherever a frame holds them."""

    def get_traceback_html(self) -> SafeString:
        return _clean(super().get_traceback_html())

    def get_traceback_text(self) -> SafeString:
        return _clean(super().get_traceback_text())


def _clean(report: str) -> SafeString:
    """Nothing is put in that was not there: what was safe stays so."""
    return mark_safe(configured_redactor().clean(report))  # noqa: S308
