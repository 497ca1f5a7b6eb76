from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0003_fill_ticket_count"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["ticket_count", "id", "deleted_at"], name="customer_tickets"),
        ),
    ]
