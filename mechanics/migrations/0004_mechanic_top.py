from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mechanics", "0003_fill_ticket_count"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="mechanic",
            index=models.Index(fields=["-ticket_count", "id", "deleted_at"], name="mechanic_top"),
        ),
    ]
