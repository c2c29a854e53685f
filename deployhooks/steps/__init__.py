"""The steps of a deploy, in the order of the setting DEPLOY_STEPS."""
