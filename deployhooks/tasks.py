"""What the queue runs: each task looks at a row, and the row says what to do."""

from deployhooks import deployer, queue


def run_deploy(deploy_id: int) -> None:
    if deployer.run_deploy(deploy_id):
        queue.restart()
