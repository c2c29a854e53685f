"""What GitHub sent, what was done about it, and how it went."""

from deployhooks.models.deliveries import Delivery, Refusal
from deployhooks.models.deploys import Deploy, DeployQuerySet, Freeze, RemoteState, Step

__all__ = [
    "Delivery",
    "Deploy",
    "DeployQuerySet",
    "Freeze",
    "Refusal",
    "RemoteState",
    "Step",
]
