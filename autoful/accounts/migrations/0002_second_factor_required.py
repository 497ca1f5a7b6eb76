from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="second_factor_required",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Must set up a code from an app before anything else in the back office.",
                verbose_name="second factor required",
            ),
        ),
    ]
