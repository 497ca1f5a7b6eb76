import autoful.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("autoful", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", autoful.fields.ExactCharField(max_length=32)),
                ("slot", models.PositiveSmallIntegerField()),
                ("total", models.BigIntegerField(help_text="Below zero, if others counted what left here.")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("name", "slot"), name="tally_slot_once")],
            },
        ),
    ]
