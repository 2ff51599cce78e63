from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agreements", "0002_outside_peer")]

    operations = [
        migrations.AddField("negotiation", "opened_with", models.CharField(blank=True, max_length=80)),
    ]
