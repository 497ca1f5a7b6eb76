from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0005_groups"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="serviceticket",
            index=models.Index(fields=["status", "service_date"], name="ticket_late"),
        ),
    ]
