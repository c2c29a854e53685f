"""Deliveries, deploys and refusals in Django's admin: all to be seen, nothing to be edited."""

from django.contrib import admin
from django_q import admin as queue_admin  # so that it registers first what we take out again
from django_q.models import Failure, OrmQ, Schedule, Success

from deployhooks.admin.deliveries import DeliveryAdmin
from deployhooks.admin.deploys import DeployAdmin
from deployhooks.admin.refusals import RefusalAdmin
from deployhooks.models import Delivery, Deploy, Refusal

__all__ = ["DeliveryAdmin", "DeployAdmin", "RefusalAdmin", "queue_admin"]

admin.site.register(Delivery, DeliveryAdmin)
admin.site.register(Deploy, DeployAdmin)
admin.site.register(Refusal, RefusalAdmin)

# The queue's own admin runs any dotted path that somebody types into its forms.
for model in (Failure, OrmQ, Schedule, Success):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
