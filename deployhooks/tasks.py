"""What the queue runs: each task looks at a row, and the row says what to do."""

from deployhooks import deployer, history, queue


def run_deploy(deploy_id: int) -> None:
    if deployer.run_deploy(deploy_id):
        queue.restart()


def prune_history() -> None:
    history.prune_history()
