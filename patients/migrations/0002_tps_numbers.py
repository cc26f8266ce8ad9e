"""The registers' numbers: replaced whole by `load_tps`, so they are no Django models."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("patients", "0001_initial")]
    operations = [
        migrations.RunSQL(
            f"CREATE TABLE {table} (n bigint PRIMARY KEY)",
            f"DROP TABLE {table}",
        )
        for table in ("tps_number", "ctps_number")
    ]
