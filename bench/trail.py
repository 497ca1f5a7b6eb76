"""The audit trail of a filled shop: a part of what the application would have written."""

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models

from bench import words
from bench.rows import HOT, Rows
from customers.models import Customer
from inventory.models import Part
from tickets.models import ServiceTicket

Action = LogEntry.Action


class Trail(Rows):
    """`tickets` is SQL of rows with n, created, status, customer and leader; moments are SQL too."""

    def trail_of_customers(self, count: int, moment: str) -> None:
        named = f"'name', JSON_ARRAY(NULL, {words.person('n')})"
        entered = self.entry(Customer, "n", words.person("n"), Action.CREATE, named, moment)
        self.each(LogEntry, count, entered)

    def trail_of_parts(self, count: int, moment: str) -> None:
        about = "CONCAT('Part ', n)"
        priced = "'price', JSON_ARRAY(NULL, '12.50')"
        entered = self.entry(Part, "n", about, Action.CREATE, priced, moment)
        self.each(LogEntry, count, entered)
        hot, used_one = (
            str(count // 2 + 1),
            "'quantity_in_stock', JSON_ARRAY(n + 1, n)",
        )
        moved = self.entry(Part, hot, "'The hot part'", Action.UPDATE, used_one, moment)
        self.each(LogEntry, HOT, moved)

    def trail_of_tickets(self, tickets: str) -> None:
        about = "CONCAT('Service ticket ', n)"
        opened = "'customer', JSON_ARRAY(NULL, customer), 'status', JSON_ARRAY(NULL, 'pending')"
        entry = self.entry(ServiceTicket, "n", about, Action.CREATE, opened, "created", "leader")
        self.insert(LogEntry, entry, tickets)
        moved, later = "'status', JSON_ARRAY('pending', 'in_progress')", "created + INTERVAL 1 HOUR"
        entry = self.entry(ServiceTicket, "n", about, Action.UPDATE, moved, later, "leader")
        self.insert(
            LogEntry, entry, f"SELECT * FROM ({tickets}) AS moved WHERE status <> 'pending'"
        )

    def entry(
        self,
        model: type[models.Model],
        number: str,
        about: str,
        action: int,
        changes: str,
        moment: str,
        mechanic: str = "1",
    ) -> dict[str, str]:
        """An entry of the audit trail, by a mechanic."""
        return {
            "content_type_id": str(ContentType.objects.get_for_model(model).pk),
            "object_pk": number,
            "object_id": number,
            "object_repr": about,
            "action": str(action),
            "changes": f"JSON_OBJECT({changes})",
            "timestamp": moment,
            "actor_id": mechanic,
            "additional_data": f"JSON_OBJECT('role', 'mechanic', 'profile_id', {mechanic})",
        }
