from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("mechanics", "0005_begin_tally"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="mechanic",
            options={"ordering": ("id",), "permissions": [("view_salary", "Can view salaries")]},
        ),
    ]
