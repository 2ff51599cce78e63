import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Negotiation',
            fields=[
                ('pid', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('role', models.CharField(max_length=8)),
                ('peer', models.CharField(max_length=200)),
                ('peer_pid', models.CharField(blank=True, max_length=80)),
                ('callback', models.CharField(blank=True, max_length=500)),
                ('state', models.CharField(max_length=12)),
                ('dataset_id', models.CharField(blank=True, max_length=80)),
                ('offer', models.JSONField(default=dict)),
                ('opened_with', models.CharField(blank=True, max_length=80)),
                ('terms', models.JSONField(null=True)),
                ('request_id', models.CharField(blank=True, max_length=36)),
                ('due_at', models.DateField(null=True)),
                ('department', models.CharField(blank=True, max_length=18)),
                ('decided_by', models.CharField(blank=True, max_length=150)),
                ('refusal_code', models.CharField(blank=True, max_length=64)),
                ('refusal_reason', models.TextField(blank=True)),
                ('refusal_citation', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'negotiation',
                'indexes': [models.Index(fields=['role', 'state', 'due_at', 'created_at', 'pid'], name='negotiation_due'), models.Index(fields=['department', 'role', 'state', 'due_at', 'created_at', 'pid'], name='negotiation_own_due'), models.Index(fields=['role', 'created_at', 'pid'], name='negotiation_newest'), models.Index(fields=['department', 'role', 'created_at', 'pid'], name='negotiation_own_newest')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('peer_pid', ''), _negated=True), fields=('peer', 'role', 'peer_pid'), name='negotiation_once')],
            },
        ),
        migrations.CreateModel(
            name='Agreement',
            fields=[
                ('id', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('role', models.CharField(max_length=8)),
                ('peer', models.CharField(max_length=200)),
                ('resource_id', models.CharField(max_length=80)),
                ('title', models.CharField(blank=True, max_length=200)),
                ('document', models.JSONField()),
                ('digest', models.CharField(max_length=80)),
                ('department', models.CharField(blank=True, max_length=18)),
                ('provider_signature', models.JSONField(null=True)),
                ('consumer_signature', models.JSONField(null=True)),
                ('state', models.CharField(max_length=12)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('negotiation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='agreement', to='agreements.negotiation')),
            ],
            options={
                'db_table': 'agreement',
                'indexes': [models.Index(fields=['created_at', 'id'], name='agreement_newest'), models.Index(fields=['department', 'created_at', 'id'], name='agreement_own_newest'), models.Index(fields=['state', 'ends_at'], name='agreement_state'), models.Index(fields=['department', 'state', 'role', 'ends_at'], name='agreement_own_state')],
            },
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('pid', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('role', models.CharField(max_length=8)),
                ('peer', models.CharField(max_length=200)),
                ('peer_pid', models.CharField(blank=True, max_length=80)),
                ('callback', models.CharField(blank=True, max_length=500)),
                ('format', models.CharField(max_length=60)),
                ('state', models.CharField(max_length=12)),
                ('data_address', models.JSONField(null=True)),
                ('suspended_by', models.CharField(blank=True, max_length=8)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('agreement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='agreements.agreement')),
            ],
            options={
                'db_table': 'transfer',
                'constraints': [models.UniqueConstraint(condition=models.Q(('peer_pid', ''), _negated=True), fields=('peer', 'role', 'peer_pid'), name='transfer_once')],
            },
        ),
    ]
