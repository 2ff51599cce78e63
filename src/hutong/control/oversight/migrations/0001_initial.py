from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('month', models.DateField(primary_key=True, serialize=False)),
                ('document', models.JSONField()),
                ('digest', models.CharField(max_length=80)),
                ('keyid', models.CharField(max_length=120)),
                ('signature', models.CharField(max_length=200)),
                ('entry_digest', models.CharField(max_length=80)),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'oversight_statement',
            },
        ),
        migrations.CreateModel(
            name='TallyMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('after', models.BigIntegerField(default=0)),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'oversight_tally_mark',
            },
        ),
        migrations.CreateModel(
            name='ExchangeDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('role', models.CharField(max_length=8)),
                ('department', models.CharField(blank=True, max_length=18)),
                ('outcome', models.CharField(max_length=12)),
                ('code', models.CharField(blank=True, max_length=64)),
                ('unnamed', models.BooleanField(default=False)),
                ('exchanges', models.BigIntegerField(default=0)),
                ('rows', models.BigIntegerField(default=0)),
            ],
            options={
                'db_table': 'oversight_exchange_day',
                'constraints': [models.UniqueConstraint(fields=('day', 'role', 'department', 'outcome', 'code', 'unnamed'), name='exchange_day_once')],
            },
        ),
        migrations.CreateModel(
            name='Figure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('measure', models.CharField(max_length=40)),
                ('grain', models.CharField(max_length=7)),
                ('since', models.DateField()),
                ('until', models.DateField()),
                ('as_of', models.DateField()),
                ('department', models.CharField(blank=True, max_length=18)),
                ('counted', models.BigIntegerField(default=0)),
                ('of', models.BigIntegerField(default=0)),
                ('days', models.JSONField(default=dict)),
                ('parts', models.JSONField(default=dict)),
                ('rows_digest', models.CharField(max_length=80)),
                ('counted_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'oversight_figure',
                'constraints': [models.UniqueConstraint(fields=('grain', 'since', 'measure', 'department'), name='oversight_figure_once')],
            },
        ),
    ]
