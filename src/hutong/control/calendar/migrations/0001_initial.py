import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='CalendarProposal',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=8)),
                ('file_name', models.CharField(max_length=200)),
                ('text', models.TextField()),
                ('digest', models.CharField(max_length=80)),
                ('years', models.JSONField()),
                ('state', models.CharField(db_index=True, default='proposed', max_length=8)),
                ('proposed_by', models.CharField(max_length=150)),
                ('proposed_at', models.DateTimeField()),
                ('decided_by', models.CharField(blank=True, max_length=150)),
                ('decided_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'db_table': 'calendar_proposal',
            },
        ),
        migrations.CreateModel(
            name='CalendarLoad',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('year', models.PositiveSmallIntegerField(db_index=True)),
                ('whole', models.BooleanField()),
                ('days', models.JSONField()),
                ('kind', models.CharField(max_length=8)),
                ('file_name', models.CharField(max_length=200)),
                ('digest', models.CharField(max_length=80)),
                ('loaded_at', models.DateTimeField()),
                ('loaded_by', models.CharField(max_length=150)),
                ('proposal', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='loads', to='calendar.calendarproposal')),
            ],
            options={
                'db_table': 'calendar_load',
            },
        ),
    ]
