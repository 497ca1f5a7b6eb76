from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0003_assignment_newest_ticket"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="serviceticket",
            index=models.Index(fields=["customer", "id", "status"], name="ticket_of_customer"),
        ),
    ]
