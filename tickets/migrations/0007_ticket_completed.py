from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0006_ticket_late"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="serviceticket",
            index=models.Index(fields=["completed_at"], name="ticket_completed"),
        ),
    ]
