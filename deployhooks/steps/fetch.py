"""Step fetch: brings here all that the deploy needs, and says which version it goes to."""

from __future__ import annotations

from deployhooks import pushes, queue
from deployhooks.checkout import Submodule, Version
from deployhooks.checkout.reading import has_commit
from deployhooks.models import Delivery
from deployhooks.sources import source_of, source_of_site
from deployhooks.steps.context import Context
from deployhooks.steps.patience import Patience
from deployhooks.verdicts import find_refusal, is_site_asked_for


def fetch(context: Context) -> str:
    """Set `context.target`; nothing live changes, and the steps after it need no network."""
    patience = Patience(context)
    target = find_target(context, patience)
    while missing := _find_missing(context, target):
        if not patience.pause("The announced commit is not there yet"):
            _do_without(context, target, missing, patience)
            break
        target = find_target(context, patience)
    context.target = target
    _record(context)
    return describe(context)


def find_target(context: Context, patience: Patience) -> Version:
    """The branch's tip with each submodule's commit; for a rollback, what that deploy went to."""
    checkout, goal = context.checkout, context.deploy.rollback_to
    if goal is None:
        tried = f"Fetching {checkout.branch_name()} from {checkout.remote}"
        commit = choose_commit(context, patience.keep_trying(tried, checkout.fetch_branch))
        return Version(commit, fetch_submodules(context, patience, commit, None))
    tried = f"Fetching {goal.to_commit[:7]}, which deploy {goal.pk} went to,"
    commit = patience.keep_trying(tried, lambda: checkout.fetch_commit(goal.to_commit))
    wanted = {path: move["to"] for path, move in goal.submodules.items()}
    return Version(commit, fetch_submodules(context, patience, commit, wanted))


def choose_commit(context: Context, tip: str) -> str:
    """The site's tip; what is live where the tip was refused and nobody asks for it again.

    A broken site must not keep posts from going live.
    """
    live, context.stays = context.before.commit, ""
    refusal = find_refusal(tip) if tip != live else None
    if refusal is None or is_site_asked_for(context.deploy):
        return tip
    context.stays = (
        f"the site stays at {live[:7]}: {tip[:7]} was "
        f"{'put back' if refusal.restored else 'refused'} by deploy {refusal.pk}; "
        "push a correction or re-run that deploy"
    )
    return live


def fetch_submodules(
    context: Context, patience: Patience, commit: str, wanted: dict[str, str] | None
) -> dict[str, str]:
    """Fetch the submodules of a commit of the site, and theirs; {path: commit}.

    `wanted` names the commits to go back to; those that it does not name go to the recorded one.
    """
    commits: dict[str, str] = {}
    for submodule in context.checkout.walk(commit, lambda one: commits[one.path]):
        goal = None if wanted is None else wanted.get(submodule.path, submodule.recorded)
        commits[submodule.path] = fetch_submodule(context, patience, submodule, goal)
    return commits


def fetch_submodule(
    context: Context, patience: Patience, submodule: Submodule, goal: str | None
) -> str:
    return patience.keep_trying(
        f"Fetching {_describe_goal(submodule, goal)} of the submodule {submodule.path}",
        lambda: context.checkout.fetch_submodule(submodule, goal),
    )


def describe(context: Context) -> str:
    """One line: from where to where, how far, and which submodules move."""
    old, new = context.before, context.target
    branch = context.checkout.branch_name()
    line = f"already at {new.commit[:7]} on {branch}"
    if old.commit != new.commit:
        line = f"{old.commit[:7]} -> {new.commit[:7]} on {branch} ({_distance(context)})"
    if context.deploy.rollback_to:
        line = f"back to deploy {context.deploy.rollback_to.pk}: {line}"
    moves = [
        f"{path} {_short(old.submodules.get(path))} -> {commit[:7]}"
        for path, commit in new.submodules.items()
        if old.submodules.get(path) != commit
    ]
    return "; ".join(filter(None, [line, *moves, context.stays]))


def _find_missing(context: Context, target: Version) -> list[Delivery]:
    """The deliveries whose push is not to be seen: a repository can be behind for seconds after it.

    What a delivery says is only compared.
    """
    if context.deploy.rollback_to:
        return []
    checkout = context.checkout
    submodules = list(checkout.walk(target.commit, lambda one: target.submodules[one.path]))
    places = [checkout.git_dir, *(one.git_dir for one in submodules)]
    return pushes.find_missing(
        context.deploy.deliveries.defer("payload", "headers"),
        [source_of_site(checkout), *(source_of(checkout, one) for one in submodules)],
        lambda commit: any(has_commit(place, commit) for place in places),
    )


def _do_without(
    context: Context, target: Version, missing: list[Delivery], patience: Patience
) -> None:
    """Go on with what is here for the other deliveries, and leave these to the next deploy.

    Fails when there is nothing to go on for: no deploy is green that served none of its deliveries.
    """
    said = _describe_missing(context, target, missing, patience)
    is_new = target.commit != context.before.commit or any(
        context.before.submodules.get(path) != commit for path, commit in target.submodules.items()
    )
    if not is_new and len(missing) == context.deploy.deliveries.count():
        context.fail(f"{said} Look whether it was taken back, then push or re-run this deploy.")
    context.stop_if_cancelled()
    handed_on = queue.hand_on(context.deploy, missing)
    context.write(f"{said} This deploy goes on without it; {handed_on}\n")


def _describe_missing(
    context: Context, target: Version, missing: list[Delivery], patience: Patience
) -> str:
    checkout = context.checkout
    announced = ", ".join(sorted({delivery.after[:7] for delivery in missing}))
    return (
        f"GitHub announced {announced}, but after {patience.waited} no remote has it: "
        f"{checkout.branch_name()} of {checkout.remote} is at {target.commit[:7]}."
    )


def _record(context: Context) -> None:
    deploy, old, new = context.deploy, context.before, context.target
    deploy.from_commit, deploy.to_commit = old.commit, new.commit
    deploy.submodules = {
        path: {"from": old.submodules.get(path), "to": commit}
        for path, commit in new.submodules.items()
    }
    deploy.save(update_fields=["from_commit", "to_commit", "submodules"])


def _distance(context: Context) -> str:
    back, new = context.checkout.count_commits(context.before.commit, context.target.commit)
    parts = [f"{new} commit{'s' if new != 1 else ''}"] if new or not back else []
    parts += [f"{back} taken back"] if back else []
    return ", ".join(parts)


def _describe_goal(submodule: Submodule, goal: str | None) -> str:
    if goal or not submodule.branch:
        return (goal or submodule.recorded)[:7]
    return submodule.branch


def _short(commit: str | None) -> str:
    return commit[:7] if commit else "new"
