import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('agreements', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Correction',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('ticket', models.CharField(max_length=36)),
                ('role', models.CharField(max_length=8)),
                ('peer', models.CharField(max_length=200)),
                ('resource_id', models.CharField(max_length=80)),
                ('department', models.CharField(max_length=18)),
                ('items', models.JSONField()),
                ('key_item', models.CharField(max_length=120)),
                ('fault', models.CharField(max_length=24)),
                ('content', models.BinaryField()),
                ('reported_by', models.CharField(max_length=250)),
                ('reported_at', models.DateTimeField()),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('due_on', models.DateField(null=True)),
                ('report_digest', models.CharField(max_length=80)),
                ('state', models.CharField(max_length=12)),
                ('by_decision', models.CharField(blank=True, max_length=80)),
                ('code', models.CharField(blank=True, max_length=64)),
                ('digest_key', models.BinaryField(default=b'')),
                ('before', models.JSONField(default=dict)),
                ('reached_before', models.JSONField(default=list)),
                ('looked_at', models.DateTimeField(null=True)),
                ('look_failed', models.CharField(blank=True, max_length=64)),
                ('changes', models.JSONField(default=list)),
                ('answer', models.BinaryField(default=b'')),
                ('corrected_at', models.DateTimeField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('answered_by', models.CharField(blank=True, max_length=150)),
                ('answer_digest', models.CharField(blank=True, max_length=80)),
                ('subscribers', models.JSONField(default=list)),
                ('agreement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='agreements.agreement')),
            ],
            options={
                'db_table': 'correction',
                'indexes': [models.Index(fields=['received_at', 'id'], name='correction_newest'), models.Index(fields=['department', 'received_at', 'id'], name='correction_own_newest'), models.Index(fields=['role', 'state', 'due_on', 'id'], name='correction_due'), models.Index(fields=['department', 'role', 'state', 'due_on', 'id'], name='correction_own_due'), models.Index(fields=['resource_id', '-id'], name='correction_of_resource')],
                'constraints': [models.UniqueConstraint(fields=('ticket', 'role'), name='correction_once')],
            },
        ),
        migrations.CreateModel(
            name='Heard',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('ticket', models.CharField(max_length=36)),
                ('peer', models.CharField(max_length=200)),
                ('department', models.CharField(max_length=18)),
                ('items', models.JSONField()),
                ('key_item', models.CharField(max_length=120)),
                ('fault', models.CharField(max_length=24)),
                ('content', models.BinaryField()),
                ('changes', models.JSONField(default=list)),
                ('corrected_at', models.DateTimeField()),
                ('answer_digest', models.CharField(max_length=80)),
                ('digest', models.CharField(max_length=80)),
                ('heard_at', models.DateTimeField(auto_now_add=True)),
                ('acknowledged_at', models.DateTimeField(null=True)),
                ('acknowledged_by', models.CharField(blank=True, max_length=150)),
                ('agreement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='corrections_heard', to='agreements.agreement')),
            ],
            options={
                'db_table': 'correction_heard',
                'indexes': [models.Index(fields=['heard_at', 'id'], name='heard_newest'), models.Index(fields=['department', 'heard_at', 'id'], name='heard_own_newest'), models.Index(fields=['acknowledged_at', 'department'], name='heard_waiting')],
                'constraints': [models.UniqueConstraint(fields=('ticket', 'agreement'), name='heard_once')],
            },
        ),
        migrations.CreateModel(
            name='Told',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('agreement_id', models.CharField(max_length=80)),
                ('peer', models.CharField(max_length=200)),
                ('items', models.JSONField()),
                ('state', models.CharField(max_length=12)),
                ('told_at', models.DateTimeField()),
                ('acknowledged_at', models.DateTimeField(null=True)),
                ('digest', models.CharField(max_length=80)),
                ('correction', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='told', to='corrections.correction')),
            ],
            options={
                'db_table': 'correction_told',
                'constraints': [models.UniqueConstraint(fields=('correction', 'agreement_id'), name='told_once')],
            },
        ),
    ]
