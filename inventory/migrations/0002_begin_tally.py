from django.db import migrations

from autoful.deploying.fill import BeginTally


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0001_initial"),
        ("autoful", "0002_tally"),
    ]

    operations = [
        BeginTally("inventory", "part"),
    ]
