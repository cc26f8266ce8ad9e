from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recall", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="appointment",
            name="has_time",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="attempt",
            name="extended",
            field=models.JSONField(
                blank=True, default=dict, help_text="The API caller's own data."
            ),
        ),
    ]
