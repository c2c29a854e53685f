"""What the queue runs: each task looks at a row, and the row says what to do."""

from deployhooks import deployer


def run_deploy(deploy_id: int) -> None:
    deployer.run_deploy(deploy_id)
