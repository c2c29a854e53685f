"""Step pull: moves the checkout to the target commit, forwards or back."""

from __future__ import annotations

from deployhooks.bytecode import compile_project
from deployhooks.steps.context import Context


def pull(context: Context) -> str:
    checkout, commit = context.checkout, context.target.commit
    # A worker that was started meanwhile may have loaded files of two versions.
    context.must_reload |= checkout.is_torn()
    if checkout.is_at(commit):
        context.skip(f"already at {commit[:7]}")
    notes = checkout.move_to(commit)
    for note in notes:
        context.write(f"{note}\n")
    compile_project(checkout.path)
    return "; ".join([f"{commit[:7]} on {checkout.branch_name()}", *notes])
