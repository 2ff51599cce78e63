import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('organisations', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ShareRequest',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('resource_id', models.CharField(max_length=36)),
                ('provider', models.CharField(max_length=40)),
                ('filed_by', models.CharField(max_length=150)),
                ('signed_off_by', models.CharField(blank=True, max_length=150)),
                ('state', models.CharField(default='draft', max_length=16)),
                ('basis', models.TextField()),
                ('scenario', models.TextField()),
                ('scope', models.TextField()),
                ('items', models.JSONField(default=list)),
                ('row_condition', models.JSONField(null=True)),
                ('mode', models.CharField(max_length=12)),
                ('term_days', models.IntegerField()),
                ('purpose', models.CharField(max_length=64)),
                ('quota_calls_per_day', models.IntegerField(default=100000)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('filed_at', models.DateTimeField(null=True)),
                ('signed_off_at', models.DateTimeField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('refusal_code', models.CharField(blank=True, max_length=64)),
                ('refusal_reason', models.TextField(blank=True)),
                ('refusal_citation', models.CharField(blank=True, max_length=200)),
                ('negotiation_id', models.CharField(blank=True, max_length=80)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='organisations.department')),
            ],
            options={
                'db_table': 'share_request',
                'indexes': [models.Index(fields=['created_at', 'id'], name='request_newest'), models.Index(fields=['department', 'created_at', 'id'], name='request_own_newest'), models.Index(fields=['department', 'state', 'created_at'], name='request_own_state')],
            },
        ),
    ]
