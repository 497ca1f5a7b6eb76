from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('tickets', '0007_ticket_completed'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='partline',
            options={'ordering': ('id',), 'verbose_name': 'part used', 'verbose_name_plural': 'parts used'},
        ),
    ]
