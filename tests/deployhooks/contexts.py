"""Makes the context that the deployer gives to a step, and runs steps as it does."""

from deployhooks.lease import Lease
from deployhooks.models import Deploy
from deployhooks.steps.context import Context, StepSkipped
from deployhooks.steps.fetch import fetch
from deployhooks.steps.pull import pull
from deployhooks.steps.submodules import submodules
from tests.deployhooks import repositories as repos


class Log:
    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


def make_site(folder, *, content_branch="main"):
    """A site with a tracked submodule at content and a pinned one at theme, cloned to checkout."""
    content = repos.make_remote(folder / "content.git", {"first.rst": "First\n"})
    theme = repos.make_remote(folder / "theme.git", {"base.css": "p {}\n"})
    files = {"manage.py": "print()\n", ".gitignore": ".env\nvar/\n"}
    site = repos.make_remote(folder / "site.git", files)
    repos.add_submodule(site, "content", content, branch=content_branch)
    repos.add_submodule(site, "theme", theme)
    return repos.clone(site, folder / "checkout")


def make_context(settings, path, **overrides):
    """A context for a running deploy of the checkout at `path`, not tried again for long."""
    settings.DEPLOY_CHECKOUT = path
    settings.DEPLOY_RETRY = overrides.pop("retry", 0)
    settings.DEPLOY_BRANCH = overrides.pop("branch", "")
    values = {"status": Deploy.Status.SUCCEEDED, "trigger": Deploy.Trigger.PUSH, "host": "test"}
    context = Context(deploy := Deploy.objects.create(**values | overrides), Lease(deploy))
    context.log = Log()
    context.before = context.checkout.version()
    return context


def run(step, context):
    """A step's line, also when it is skipped: then in brackets."""
    try:
        return step(context)
    except StepSkipped as reason:
        return f"[{reason}]"


def deploy(context):
    """Run the three steps that concern the checkout; their lines."""
    return [run(step, context) for step in (fetch, pull, submodules)]


def put_back(context):
    """Go back to the version before, as the deployer does; the lines of both steps."""
    context.target = context.before
    return [run(step, context) for step in (pull, submodules)]
