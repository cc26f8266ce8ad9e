from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0005_number_papers'),
    ]

    operations = [
        migrations.AddField(
            model_name='connection',
            name='catch_up_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
