import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('exchange', '0001_initial'),
        ('organisations', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='InformationSystem',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=60)),
                ('name', models.CharField(max_length=200)),
                ('state', models.CharField(default='in_use', max_length=8)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='systems', to='organisations.department')),
            ],
            options={
                'db_table': 'information_system',
                'indexes': [models.Index(fields=['department', 'state', 'name'], name='information_departm_465eb4_idx')],
                'constraints': [models.UniqueConstraint(fields=('department', 'code'), name='system_code_once')],
            },
        ),
        migrations.CreateModel(
            name='ChangeClock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last', models.BigIntegerField(default=0)),
            ],
            options={
                'db_table': 'catalogue_clock',
            },
        ),
        migrations.CreateModel(
            name='Resource',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('code', models.CharField(blank=True, max_length=60)),
                ('state', models.CharField(default='draft', max_length=12)),
                ('version', models.IntegerField(default=0)),
                ('title_zh', models.CharField(blank=True, max_length=200)),
                ('title_en', models.CharField(blank=True, max_length=200)),
                ('summary_zh', models.TextField(blank=True)),
                ('summary_en', models.TextField(blank=True)),
                ('keywords', models.JSONField(default=list)),
                ('theme', models.CharField(blank=True, max_length=60)),
                ('category', models.CharField(blank=True, max_length=12)),
                ('branch', models.CharField(blank=True, max_length=3)),
                ('twig', models.CharField(blank=True, max_length=14)),
                ('related', models.JSONField(default=list)),
                ('data_format', models.CharField(blank=True, max_length=40)),
                ('update_cycle', models.CharField(blank=True, max_length=2)),
                ('attribute', models.CharField(blank=True, choices=[('unconditional', '无条件共享'), ('conditional', '有条件共享'), ('refused', '不予共享')], max_length=16)),
                ('conditions', models.TextField(blank=True)),
                ('permitted_purposes', models.JSONField(default=list)),
                ('legal_citation', models.TextField(blank=True)),
                ('openness', models.CharField(blank=True, max_length=12)),
                ('open_conditions', models.TextField(blank=True)),
                ('sharing_modes', models.JSONField(default=list)),
                ('national_level', models.CharField(default='general', max_length=12)),
                ('area_code', models.CharField(blank=True, max_length=12)),
                ('time_range', models.CharField(blank=True, max_length=60)),
                ('business_matter', models.CharField(blank=True, max_length=200)),
                ('source_system', models.CharField(blank=True, max_length=200)),
                ('secrecy_checked_by', models.CharField(blank=True, max_length=100)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('published_at', models.DateTimeField(null=True)),
                ('changed_at', models.DateTimeField(null=True)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='resources', to='organisations.department')),
                ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='resources', to='exchange.source')),
                ('system', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='resources', to='catalogue.informationsystem')),
            ],
            options={
                'db_table': 'resource',
                'indexes': [models.Index(fields=['state', 'id'], name='resource_state_8e2e7e_idx'), models.Index(fields=['department', 'state', 'id'], name='resource_departm_148090_idx'), models.Index(fields=['updated_at', 'id'], name='resource_updated_8d15b1_idx'), models.Index(fields=['code'], name='resource_code_926d2c_idx'), models.Index(fields=['department', 'updated_at', 'id'], name='resource_departm_9caf09_idx')],
            },
        ),
        migrations.CreateModel(
            name='Harvest',
            fields=[
                ('peer', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('cursor', models.CharField(blank=True, max_length=40)),
                ('asked_at', models.DateTimeField(null=True)),
                ('failed', models.BooleanField(default=False)),
                ('refused_under', models.BigIntegerField(null=True)),
            ],
            options={
                'db_table': 'catalogue_harvest',
            },
        ),
        migrations.CreateModel(
            name='Watch',
            fields=[
                ('source', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='watch', serialize=False, to='exchange.source')),
                ('mark', models.CharField(blank=True, max_length=40)),
                ('changed_at', models.DateTimeField(null=True)),
                ('since', models.DateTimeField()),
                ('looked_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'db_table': 'source_watch',
            },
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('origin', models.CharField(max_length=40)),
                ('version', models.IntegerField()),
                ('change', models.BigIntegerField(unique=True)),
                ('state', models.CharField(max_length=12)),
                ('title_zh', models.CharField(max_length=200)),
                ('title_en', models.CharField(blank=True, max_length=200)),
                ('department_name', models.CharField(max_length=200)),
                ('department_code', models.CharField(max_length=18)),
                ('attribute', models.CharField(max_length=16)),
                ('update_cycle', models.CharField(max_length=2)),
                ('theme', models.CharField(blank=True, max_length=60)),
                ('grade', models.IntegerField(default=1)),
                ('dataset', models.JSONField()),
                ('signature', models.CharField(max_length=200)),
                ('keyid', models.CharField(max_length=120)),
                ('published_at', models.DateTimeField()),
                ('received_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'catalogue_entry',
                'indexes': [models.Index(fields=['state', '-published_at', 'id', 'origin', 'attribute', 'theme'], name='entry_newest'), models.Index(fields=['state', 'origin', 'attribute', 'theme'], name='entry_facets'), models.Index(fields=['origin', 'state', 'change'], name='catalogue_e_origin_af2347_idx'), models.Index(fields=['origin', 'change'], name='catalogue_e_origin_491651_idx')],
            },
        ),
        migrations.CreateModel(
            name='Freshness',
            fields=[
                ('resource', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='freshness', serialize=False, to='catalogue.resource')),
                ('cycle', models.CharField(max_length=2)),
                ('changed_on', models.DateField(null=True)),
                ('fresh_until', models.DateField(db_index=True, null=True)),
            ],
            options={
                'db_table': 'resource_freshness',
            },
        ),
        migrations.CreateModel(
            name='ResourceDrift',
            fields=[
                ('resource', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='drift', serialize=False, to='catalogue.resource')),
                ('items', models.JSONField()),
                ('found_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'resource_drift',
            },
        ),
        migrations.CreateModel(
            name='Item',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.IntegerField()),
                ('name', models.CharField(max_length=120)),
                ('title_zh', models.CharField(blank=True, max_length=200)),
                ('title_en', models.CharField(blank=True, max_length=200)),
                ('type', models.CharField(max_length=40)),
                ('element', models.CharField(blank=True, max_length=60)),
                ('attribute', models.CharField(blank=True, choices=[('unconditional', '无条件共享'), ('conditional', '有条件共享'), ('refused', '不予共享')], max_length=16)),
                ('grade', models.IntegerField(default=1)),
                ('sensitive', models.BooleanField(default=False)),
                ('secret', models.BooleanField(default=False)),
                ('nullable', models.BooleanField(default=True)),
                ('key', models.BooleanField(default=False)),
                ('mask', models.JSONField(default=dict)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('missing', models.BigIntegerField(null=True)),
                ('resource', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='catalogue.resource')),
            ],
            options={
                'db_table': 'item',
                'ordering': ['position'],
                'constraints': [models.UniqueConstraint(fields=('resource', 'name'), name='item_name_once')],
            },
        ),
        migrations.CreateModel(
            name='Submission',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('version', models.IntegerField()),
                ('state', models.CharField(default='open', max_length=12)),
                ('content', models.JSONField()),
                ('digest', models.CharField(max_length=80)),
                ('signed_off_by', models.CharField(max_length=100)),
                ('submitted_by', models.CharField(max_length=150)),
                ('submitted_at', models.DateTimeField()),
                ('decided_by', models.CharField(blank=True, max_length=150)),
                ('decided_at', models.DateTimeField(null=True)),
                ('reason', models.TextField(blank=True)),
                ('points', models.JSONField(default=list)),
                ('resource', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='submissions', to='catalogue.resource')),
            ],
            options={
                'db_table': 'catalogue_submission',
                'indexes': [models.Index(fields=['state', 'submitted_at', 'id'], name='catalogue_s_state_7bddd2_idx'), models.Index(fields=['state', 'decided_at', 'id'], name='catalogue_s_state_f76368_idx'), models.Index(fields=['resource', '-submitted_at'], name='catalogue_s_resourc_48940d_idx')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('resource',), name='one_open_submission_a_resource')],
            },
        ),
        migrations.CreateModel(
            name='Version',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.IntegerField()),
                ('state', models.CharField(max_length=12)),
                ('content', models.JSONField()),
                ('dataset', models.JSONField()),
                ('digest', models.CharField(max_length=80)),
                ('signature', models.CharField(max_length=200)),
                ('keyid', models.CharField(max_length=120)),
                ('issued_at', models.DateTimeField()),
                ('issued_by', models.CharField(max_length=150)),
                ('resource', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='catalogue.resource')),
                ('submission', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.submission')),
            ],
            options={
                'db_table': 'catalogue_version',
                'constraints': [models.UniqueConstraint(fields=('resource', 'number'), name='version_number_once')],
            },
        ),
        migrations.CreateModel(
            name='EntryTerm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('term', models.CharField(max_length=40)),
                ('weight', models.IntegerField()),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='terms', to='catalogue.entry')),
            ],
            options={
                'db_table': 'catalogue_term',
                'indexes': [models.Index(fields=['term', '-weight', '-entry'], name='catalogue_t_term_70fad3_idx'), models.Index(fields=['term', 'entry', 'weight'], name='term_of_entry')],
            },
        ),
    ]
