from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_user_staff'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='user',
            options={'verbose_name': 'account'},
        ),
    ]
