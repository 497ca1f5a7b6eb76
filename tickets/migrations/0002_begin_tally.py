from django.db import migrations

from autoful.deploying.fill import BeginTally


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0001_initial"),
        ("autoful", "0002_tally"),
    ]

    operations = [
        BeginTally("service_tickets", "serviceticket"),
    ]
