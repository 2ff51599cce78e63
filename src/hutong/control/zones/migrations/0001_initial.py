from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Zone',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('origin', models.CharField(max_length=40)),
                ('version', models.IntegerField(default=1)),
                ('name_zh', models.CharField(max_length=200)),
                ('name_en', models.CharField(blank=True, max_length=200)),
                ('members', models.JSONField(default=list)),
                ('reference', models.CharField(max_length=300)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(null=True)),
                ('state', models.CharField(max_length=10)),
                ('proposed_by', models.CharField(max_length=150)),
                ('decided_by', models.CharField(blank=True, max_length=150)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('decided_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'zone',
                'indexes': [models.Index(fields=['state', 'valid_from'], name='zone_state_073ec6_idx')],
            },
        ),
    ]
