from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        from autoful import audit, recount
        from autoful.api import caching
        from customers.models import Customer, Vehicle

        audit.register(Customer)
        audit.register(Vehicle)
        caching.shows("customers", Customer)
        recount.total("customers", Customer.objects.existing)
