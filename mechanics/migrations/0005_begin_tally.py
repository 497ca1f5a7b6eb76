from django.db import migrations, models

from autoful.deploying.fill import BeginTally


class Migration(migrations.Migration):
    dependencies = [
        ("mechanics", "0004_mechanic_top"),
        ("autoful", "0002_tally"),
    ]

    operations = [
        BeginTally("mechanics", "mechanic", where=models.Q(deleted_at=None)),
    ]
