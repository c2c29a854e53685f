"""The door before Django's own."""

from io import BytesIO
from wsgiref.util import setup_testing_defaults

import pytest

from blogsite.wsgi import application


def ask(content_type: str) -> str:
    environ = {"PATH_INFO": "/healthz", "CONTENT_TYPE": content_type, "wsgi.input": BytesIO()}
    setup_testing_defaults(environ)
    environ["HTTP_HOST"] = "localhost"
    answered = []
    answer = application(environ, lambda status, headers: answered.append(status))
    list(answer)
    answer.close()
    return answered[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/json; charset*=bogus''x", "a; b*=utf-8''%ff", ";;;=", "\udc80"],
)
def test_no_content_type_stops_the_site(content_type: str):
    assert ask(content_type) == "200 OK"
