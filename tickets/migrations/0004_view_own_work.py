from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0003_assignment_newest_ticket"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="serviceticket",
            options={
                "ordering": ("-id",),
                "permissions": [("view_own_work", "Can view the tickets they work on")],
            },
        ),
    ]
