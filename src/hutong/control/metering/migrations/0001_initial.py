from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='MeterComparison',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('peer', models.CharField(max_length=40)),
                ('day', models.DateField()),
                ('ours', models.IntegerField(default=0)),
                ('theirs', models.IntegerField(default=0)),
                ('state', models.CharField(max_length=8)),
                ('differences', models.JSONField(default=list)),
                ('at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'meter_comparison',
                'constraints': [models.UniqueConstraint(fields=('peer', 'day'), name='meter_compared_once')],
            },
        ),
        migrations.CreateModel(
            name='MeterFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('author', models.CharField(max_length=40)),
                ('peer', models.CharField(max_length=40)),
                ('day', models.DateField()),
                ('version', models.IntegerField()),
                ('document', models.BinaryField()),
                ('digest', models.CharField(max_length=80)),
                ('signature', models.CharField(max_length=120)),
                ('keyid', models.CharField(max_length=80)),
                ('at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'db_table': 'meter_file',
                'indexes': [models.Index(fields=['day', 'author'], name='meter_file_day_a7d0ed_idx')],
                'constraints': [models.UniqueConstraint(fields=('author', 'peer', 'day', 'version'), name='meter_once')],
            },
        ),
    ]
