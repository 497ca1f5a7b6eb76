from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mechanics", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="mechanic",
            name="ticket_count",
            field=models.IntegerField(db_default=0, default=0, editable=False),
        ),
    ]
