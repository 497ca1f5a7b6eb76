from django.db import migrations
from django.db.models.expressions import RawSQL

from autoful.deploying.fill import Fill


class Migration(migrations.Migration):
    dependencies = [
        ("mechanics", "0002_ticket_count"),
        ("tickets", "0001_initial"),
    ]

    operations = [
        Fill("mechanic", to={"ticket_count": RawSQL("SELECT COUNT(*) FROM tickets_assignment counted WHERE counted.mechanic_id = mechanics_mechanic.id", [])}),
    ]
