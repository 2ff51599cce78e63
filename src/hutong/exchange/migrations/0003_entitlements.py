from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0002_code_maps")]

    operations = [
        migrations.RenameModel("Subscription", "Entitlement"),
        migrations.AlterModelTable("entitlement", "exchange_entitlement"),
    ]
