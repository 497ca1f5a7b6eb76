from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "inventory"

    def ready(self) -> None:
        from autoful import audit, recount
        from autoful.api import caching
        from autoful.backup import proofs
        from inventory.models import Part

        audit.register(Part)
        caching.shows("inventory", Part)
        proofs.demand("check_stock")
        recount.total("inventory", Part.objects.all)
