from django.db import migrations, models


def number_entries(apps, _schema_editor):
    """Entries kept so far, in the order they were published."""
    Entry = apps.get_model("catalogue", "Entry")
    ids = Entry.objects.order_by("published_at", "id").values_list("id", flat=True)
    last = 0
    for last, entry_id in enumerate(list(ids), start=1):
        Entry.objects.filter(id=entry_id).update(change=last)
    apps.get_model("catalogue", "ChangeClock").objects.create(id=1, last=last)


class Migration(migrations.Migration):

    dependencies = [
        ("catalogue", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangeClock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("last", models.BigIntegerField(default=0)),
            ],
            options={"db_table": "catalogue_clock"},
        ),
        migrations.CreateModel(
            name="Harvest",
            fields=[
                ("peer", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("cursor", models.CharField(blank=True, max_length=40)),
                ("asked_at", models.DateTimeField(null=True)),
                ("failed", models.BooleanField(default=False)),
                ("refused_under", models.BigIntegerField(null=True)),
            ],
            options={"db_table": "catalogue_harvest"},
        ),
        migrations.AddField("entry", "change", models.BigIntegerField(null=True)),
        migrations.RunPython(number_entries, migrations.RunPython.noop),
        migrations.AlterField("entry", "change", models.BigIntegerField(unique=True)),
        migrations.AlterField("entry", "origin", models.CharField(max_length=40)),
        migrations.AddIndex(
            "entry", models.Index(fields=["origin", "state", "change"], name="catalogue_e_origin_af2347_idx")
        ),
        migrations.AddIndex("entry", models.Index(fields=["origin", "change"], name="catalogue_e_origin_491651_idx")),
    ]
