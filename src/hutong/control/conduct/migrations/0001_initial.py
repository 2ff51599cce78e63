import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('agreements', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='EndedAgreement',
            fields=[
                ('agreement', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='end', serialize=False, to='agreements.agreement')),
                ('how', models.CharField(max_length=10)),
                ('ended_at', models.DateTimeField()),
                ('due_on', models.DateField(null=True)),
                ('disposed_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'ended_agreement',
                'indexes': [models.Index(fields=['disposed_at', '-ended_at'], name='ended_undisposed')],
            },
        ),
        migrations.CreateModel(
            name='StopNotice',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('resource_id', models.CharField(db_index=True, max_length=80)),
                ('department', models.CharField(max_length=18)),
                ('change', models.CharField(max_length=8)),
                ('starts_on', models.DateField()),
                ('reason', models.TextField()),
                ('filed_by', models.CharField(max_length=150)),
                ('filed_at', models.DateTimeField()),
                ('told', models.IntegerField(default=0)),
            ],
            options={
                'db_table': 'stop_notice',
                'indexes': [models.Index(fields=['filed_at', 'id'], name='stop_newest'), models.Index(fields=['department', 'filed_at', 'id'], name='stop_own_newest')],
            },
        ),
        migrations.CreateModel(
            name='Filing',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=16)),
                ('author', models.CharField(max_length=8)),
                ('department', models.CharField(blank=True, max_length=18)),
                ('content', models.JSONField()),
                ('refers_to', models.CharField(blank=True, max_length=36)),
                ('digest', models.CharField(max_length=80)),
                ('filed_by', models.CharField(max_length=150)),
                ('filed_at', models.DateTimeField()),
                ('due_on', models.DateField(null=True)),
                ('state', models.CharField(max_length=10)),
                ('answered_by', models.CharField(blank=True, max_length=150)),
                ('answered_at', models.DateTimeField(null=True)),
                ('answer', models.TextField(blank=True)),
                ('agreement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='filings', to='agreements.agreement')),
            ],
            options={
                'db_table': 'filing',
                'indexes': [models.Index(fields=['agreement', 'kind', '-filed_at'], name='filing_agreement'), models.Index(fields=['kind', 'state', '-filed_at'], name='filing_kind'), models.Index(fields=['department', 'kind', '-filed_at'], name='filing_department')],
            },
        ),
    ]
