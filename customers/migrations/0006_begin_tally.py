from django.db import migrations, models

from autoful.deploying.fill import BeginTally


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0005_customer_top"),
        ("autoful", "0002_tally"),
    ]

    operations = [
        BeginTally("customers", "customer", where=models.Q(deleted_at=None)),
    ]
