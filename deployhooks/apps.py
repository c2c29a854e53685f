"""The app that receives GitHub's webhooks and deploys what they announce."""

from django.apps import AppConfig


class DeployhooksConfig(AppConfig):
    name = "deployhooks"
    verbose_name = "Deploys"

    def ready(self) -> None:
        from deployhooks import checks  # noqa: F401 - registers the system checks
