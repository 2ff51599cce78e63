import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='ReturnKey',
            fields=[
                ('department', models.CharField(max_length=18, primary_key=True, serialize=False)),
                ('sealed', models.BinaryField()),
                ('expires_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'return_key',
            },
        ),
        migrations.CreateModel(
            name='ReturnFlow',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('role', models.CharField(max_length=8)),
                ('peer', models.CharField(max_length=40)),
                ('resource_id', models.CharField(max_length=36)),
                ('title_zh', models.CharField(max_length=200)),
                ('title_en', models.CharField(blank=True, max_length=200)),
                ('area', models.CharField(max_length=12)),
                ('area_item', models.CharField(max_length=120)),
                ('keys', models.JSONField(default=list)),
                ('changed_item', models.CharField(blank=True, max_length=120)),
                ('department', models.CharField(blank=True, max_length=18)),
                ('purpose', models.CharField(max_length=64)),
                ('update_cycle', models.CharField(blank=True, max_length=2)),
                ('negotiation_id', models.CharField(db_index=True, max_length=80)),
                ('agreement_id', models.CharField(blank=True, db_index=True, max_length=80)),
                ('state', models.CharField(default='asked', max_length=8)),
                ('code', models.CharField(blank=True, max_length=64)),
                ('provenance', models.JSONField(default=list)),
                ('next_at', models.DateTimeField(null=True)),
                ('failures', models.IntegerField(default=0)),
                ('trouble', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'db_table': 'return_flow',
                'indexes': [models.Index(fields=['role', 'state', 'next_at'], name='return_flow_role_a762ad_idx'), models.Index(fields=['-created_at', 'id'], name='return_flow_created_5b83b7_idx'), models.Index(fields=['department', '-created_at'], name='return_flow_departm_80fe29_idx')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ('asked', 'active'))), fields=('role', 'peer', 'resource_id', 'area'), name='return_flow_once')],
            },
        ),
        migrations.CreateModel(
            name='ReturnBatch',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('number', models.IntegerField()),
                ('kind', models.CharField(max_length=8)),
                ('state', models.CharField(max_length=10)),
                ('rows', models.BigIntegerField(default=0)),
                ('root', models.CharField(blank=True, max_length=80)),
                ('their_rows', models.BigIntegerField(null=True)),
                ('their_root', models.CharField(blank=True, max_length=80)),
                ('exchange_id', models.CharField(blank=True, max_length=36)),
                ('receipt', models.CharField(blank=True, max_length=80)),
                ('provenance', models.JSONField(default=list)),
                ('pending', models.JSONField(default=list)),
                ('missing', models.BigIntegerField(default=0)),
                ('extra', models.BigIntegerField(default=0)),
                ('changed', models.BigIntegerField(default=0)),
                ('started_at', models.DateTimeField()),
                ('stored_at', models.DateTimeField(null=True)),
                ('compared_at', models.DateTimeField(null=True)),
                ('flow', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to='returns.returnflow')),
            ],
            options={
                'db_table': 'return_batch',
                'indexes': [models.Index(fields=['flow', '-number'], name='return_batc_flow_id_51131e_idx'), models.Index(fields=['state', 'compared_at'], name='return_batc_state_1d6c47_idx')],
                'constraints': [models.UniqueConstraint(fields=('flow', 'number'), name='return_batch_once')],
            },
        ),
        migrations.CreateModel(
            name='Onward',
            fields=[
                ('resource_id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('flow', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='onward', to='returns.returnflow')),
            ],
            options={
                'db_table': 'return_onward',
            },
        ),
        migrations.CreateModel(
            name='ReturnOffer',
            fields=[
                ('resource_id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('peer', models.CharField(max_length=40)),
                ('area', models.CharField(max_length=12)),
                ('title_zh', models.CharField(max_length=200)),
                ('title_en', models.CharField(blank=True, max_length=200)),
                ('provenance', models.JSONField(default=list)),
                ('offered_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'return_offer',
                'indexes': [models.Index(fields=['-offered_at'], name='return_offe_offered_b3c1d8_idx')],
            },
        ),
        migrations.CreateModel(
            name='ReturnTicket',
            fields=[
                ('batch', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='ticket', serialize=False, to='returns.returnbatch')),
                ('state', models.CharField(default='open', max_length=8)),
                ('opened_at', models.DateTimeField(auto_now_add=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('closed_by', models.CharField(blank=True, max_length=36)),
                ('flow', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tickets', to='returns.returnflow')),
            ],
            options={
                'db_table': 'return_ticket',
                'indexes': [models.Index(fields=['state', '-opened_at'], name='return_tick_state_f5028e_idx'), models.Index(fields=['flow', 'state'], name='return_tick_flow_id_23e3ef_idx')],
            },
        ),
        migrations.CreateModel(
            name='ReturnDifference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64)),
                ('kind', models.CharField(max_length=8)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='differences', to='returns.returnbatch')),
            ],
            options={
                'db_table': 'return_difference',
                'constraints': [models.UniqueConstraint(fields=('batch', 'key', 'kind'), name='return_difference_once')],
            },
        ),
    ]
