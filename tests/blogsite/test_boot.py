"""What a web worker proves at its start: above all that it holds every template of its version."""

from pathlib import Path

import pytest
from django.template import engines

from blogsite import boot


@pytest.fixture
def templates(tmp_path: Path, settings) -> Path:
    """A project whose only templates lie here."""
    settings.BASE_DIR = tmp_path
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [tmp_path / "templates"],
        }
    ]
    (tmp_path / "templates" / "blog").mkdir(parents=True)
    return tmp_path / "templates"


def test_a_worker_never_picks_up_a_template_that_came_after_its_start(templates: Path):
    (templates / "base.html").write_text("old {% block a %}{% endblock %}")
    (templates / "blog" / "post.html").write_text(
        "{% extends 'base.html' %}{% block a %}post{% endblock %}"
    )
    assert boot.compile_templates() == 2
    (templates / "base.html").write_text("new")
    (templates / "blog" / "post.html").write_text("new")
    assert engines["django"].get_template("blog/post.html").render() == "old post"


def test_a_template_that_does_not_parse_is_named(templates: Path):
    (templates / "blog" / "post.html").write_text("{% nonsense %}")
    with pytest.raises(boot.CannotServe, match=r"blog/post\.html does not parse: .*nonsense"):
        boot.compile_templates()


def test_templates_of_libraries_are_not_the_projects(templates: Path, settings, tmp_path: Path):
    (templates / "blog" / "post.html").write_text("{% nonsense %}")
    settings.BASE_DIR = tmp_path / "elsewhere"
    assert boot.compile_templates() == 0


@pytest.mark.django_db
def test_the_site_as_it_is_can_serve():
    assert boot.prove_it_can_serve()["pid"]
