import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('title', models.CharField(max_length=200)),
                ('about', models.JSONField()),
                ('resource_id', models.CharField(max_length=80)),
                ('agreement_id', models.CharField(blank=True, max_length=80)),
                ('claimant', models.CharField(max_length=40)),
                ('respondent', models.CharField(max_length=40)),
                ('claimant_department', models.CharField(blank=True, max_length=18)),
                ('respondent_department', models.CharField(blank=True, max_length=18)),
                ('mediator', models.CharField(blank=True, max_length=40)),
                ('forum', models.CharField(blank=True, max_length=40)),
                ('level', models.IntegerField(default=1)),
                ('state', models.CharField(default='open', max_length=12)),
                ('department', models.CharField(blank=True, max_length=18)),
                ('opened_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'dispute',
                'indexes': [models.Index(fields=['-updated_at', 'id'], name='dispute_updated_c4961d_idx'), models.Index(fields=['state', '-updated_at'], name='dispute_state_920d22_idx'), models.Index(fields=['department', '-updated_at'], name='dispute_departm_1627da_idx'), models.Index(fields=['resource_id', '-updated_at'], name='dispute_of_resource'), models.Index(fields=['agreement_id', '-updated_at'], name='dispute_of_agreement')],
            },
        ),
        migrations.CreateModel(
            name='DisputePaper',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=80)),
                ('kind', models.CharField(max_length=12)),
                ('height', models.IntegerField()),
                ('document', models.JSONField()),
                ('signature', models.JSONField()),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('dispute', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='papers', to='disputes.dispute')),
            ],
            options={
                'db_table': 'dispute_paper',
                'constraints': [models.UniqueConstraint(fields=('dispute', 'digest'), name='dispute_paper_once')],
            },
        ),
        migrations.CreateModel(
            name='Mandate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.IntegerField()),
                ('do', models.CharField(max_length=12)),
                ('limits', models.JSONField(default=dict)),
                ('state', models.CharField(default='waiting', max_length=8)),
                ('code', models.CharField(blank=True, max_length=64)),
                ('note', models.TextField(blank=True)),
                ('consumer', models.CharField(blank=True, max_length=40)),
                ('resource_id', models.CharField(blank=True, max_length=80)),
                ('done_at', models.DateTimeField(null=True)),
                ('dispute', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mandates', to='disputes.dispute')),
            ],
            options={
                'db_table': 'dispute_mandate',
                'indexes': [models.Index(fields=['consumer', 'resource_id', 'state'], name='dispute_man_consume_252619_idx')],
                'constraints': [models.UniqueConstraint(fields=('dispute', 'position'), name='dispute_mandate_once')],
            },
        ),
    ]
