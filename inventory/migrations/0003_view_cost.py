from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0002_begin_tally"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="part",
            options={
                "ordering": ("part_name", "id"),
                "permissions": [("view_cost", "Can view what the shop pays for parts")],
            },
        ),
    ]
