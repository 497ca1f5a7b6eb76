from django.db import migrations
from django.db.models.expressions import RawSQL

from autoful.deploying.fill import Fill


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_ticket_count"),
        ("tickets", "0001_initial"),
    ]

    operations = [
        Fill("customer", to={"ticket_count": RawSQL("SELECT COUNT(*) FROM tickets_serviceticket counted WHERE counted.customer_id = customers_customer.id", [])}),
    ]
