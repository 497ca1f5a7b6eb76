from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0004_movement_of_part'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='stockmovement',
            options={'ordering': ('-id',), 'verbose_name_plural': 'stock ledger'},
        ),
    ]
