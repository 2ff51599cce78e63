import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('identity', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='CalendarFeed',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('digest', models.CharField(max_length=80, unique=True)),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'calendar_feed',
            },
        ),
        migrations.CreateModel(
            name='Clock',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('rule', models.CharField(max_length=120)),
                ('subject', models.CharField(db_index=True, max_length=200)),
                ('department', models.CharField(blank=True, max_length=18)),
                ('role', models.CharField(max_length=12)),
                ('title_zh', models.CharField(blank=True, max_length=200)),
                ('title_en', models.CharField(blank=True, max_length=200)),
                ('page', models.JSONField(default=list)),
                ('received_on', models.DateField()),
                ('days', models.IntegerField()),
                ('due_on', models.DateField(null=True)),
                ('extended_days', models.IntegerField(default=0)),
                ('extension_state', models.CharField(blank=True, max_length=9)),
                ('extension_reason', models.CharField(blank=True, max_length=500)),
                ('extension_asked_by', models.CharField(blank=True, max_length=150)),
                ('extension_decided_by', models.CharField(blank=True, max_length=150)),
                ('state', models.CharField(default='running', max_length=8)),
                ('met_on', models.DateField(null=True)),
                ('overdue_since', models.DateField(null=True)),
                ('reminded_on', models.DateField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'clock',
                'indexes': [models.Index(fields=['state', 'due_on', 'id'], name='clock_state_205f94_idx'), models.Index(fields=['department', 'state', 'due_on', 'id'], name='clock_departm_3ba9a0_idx'), models.Index(fields=['rule', 'state', 'received_on'], name='clock_rule_4bea8f_idx'), models.Index(fields=['extension_state', 'state'], name='clock_extensi_82bfea_idx'), models.Index(fields=['state', 'changed_at', 'id'], name='clock_state_8d69b5_idx'), models.Index(fields=['department', 'state', 'changed_at', 'id'], name='clock_departm_cf6a28_idx')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'running')), fields=('rule', 'subject'), name='clock_runs_once')],
            },
        ),
    ]
