"""Step submodules: brings each submodule, nested ones too, to its commit and address."""

from __future__ import annotations

from deployhooks.checkout import Submodule
from deployhooks.checkout.addresses import shown
from deployhooks.checkout.reading import commit_at
from deployhooks.steps.context import Context
from deployhooks.steps.fetch import fetch_submodule
from deployhooks.steps.patience import Patience


def submodules(context: Context) -> str:
    """Tracked submodules go straight to their branch's tip, never through the recorded commit."""
    patience = Patience(context)
    notes: list[str] = []
    left_out: list[str] = []
    count = 0
    for submodule in context.checkout.walk(
        context.target.commit, lambda one: goal_of(context, one)
    ):
        count += 1
        notes += bring(context, patience, submodule)
        left_out += describe_left_out(context, submodule)
    if not notes:
        done = "all are where they should be" if count else "the site has none"
        context.skip("; ".join([done, *left_out]))
    return "; ".join([*notes, *left_out])


def bring(context: Context, patience: Patience, submodule: Submodule) -> list[str]:
    """Move one submodule; what was done, nothing where there was nothing to do."""
    goal = goal_of(context, submodule)
    if goal is None:
        context.write(f"{submodule.path} was not cloned before and is left as it is\n")
        return context.checkout.mend_submodule(submodule)
    checkout = context.checkout
    old = commit_at(submodule.folder) if submodule.is_attached else None
    notes = []
    if not checkout.is_placed(submodule, goal):
        # It is here since the step fetch, unless somebody took it away meanwhile.
        fetch_submodule(context, patience, submodule, goal)
        kept = checkout.place_submodule(submodule, goal)
        notes = [f"{submodule.path} {old[:7] if old else 'new'} -> {goal[:7]}", *kept]
    if checkout.sync_submodule(submodule) and old:
        notes.append(f"{submodule.path} now comes from {shown(submodule.url)}")
    for note in notes:
        context.write(f"{note}\n")
    return notes


def describe_left_out(context: Context, submodule: Submodule) -> list[str]:
    """The submodules that content names and must not bring, each with what to do."""
    goal = goal_of(context, submodule)
    found = context.checkout.not_followed(submodule, goal) if goal else []
    return [
        f"{one.path} is not followed, content brings no repositories: name {shown(one.url)} in "
        "DEPLOY_CONTENT_SUBMODULES if it is meant"
        for one in found
    ]


def goal_of(context: Context, submodule: Submodule) -> str | None:
    """The target's commit; going back, the one where a submodule was when it was taken away."""
    if goal := context.target.submodules.get(submodule.path):
        return goal
    return commit_at(submodule.git_dir) if submodule.is_made else None
