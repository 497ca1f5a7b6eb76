from django.apps import AppConfig


class MechanicsConfig(AppConfig):
    name = "mechanics"

    def ready(self) -> None:
        from autoful import audit, recount
        from autoful.accounts.models import User
        from autoful.api import caching
        from mechanics.models import Mechanic

        audit.register(Mechanic)
        caching.shows("mechanics", Mechanic, User)
        recount.total("mechanics", Mechanic.objects.existing)
