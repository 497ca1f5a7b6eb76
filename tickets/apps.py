from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"

    def ready(self) -> None:
        from autoful import audit, recount
        from autoful.accounts.models import User
        from autoful.api import caching
        from customers.models import Customer
        from inventory.models import Part
        from mechanics import registration
        from mechanics.models import Mechanic
        from tickets.assignment import lock_open_tickets_of, release_open_assignments
        from tickets.models import Assignment, PartLine, ServiceTicket

        audit.register(ServiceTicket)
        audit.register(Assignment)
        audit.register(PartLine)
        caching.shows(
            "service_tickets",
            ServiceTicket,
            Assignment,
            PartLine,
            Customer,
            Mechanic,
            User,
            Part,
        )
        caching.shows("customers", ServiceTicket)  # their ticket_count
        registration.before_leaving.append(lock_open_tickets_of)
        registration.on_leaving.append(release_open_assignments)
        recount.total("service_tickets", ServiceTicket.objects.all)
        recount.column(Customer, "ticket_count", of=ServiceTicket.objects.all, by="customer")
        recount.column(Mechanic, "ticket_count", of=Assignment.objects.all, by="mechanic")
