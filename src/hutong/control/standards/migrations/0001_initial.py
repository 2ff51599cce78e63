import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('catalogue', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Definition',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=8)),
                ('name', models.CharField(max_length=60)),
                ('version', models.IntegerField()),
                ('origin', models.CharField(max_length=40)),
                ('state', models.CharField(max_length=10)),
                ('title_zh', models.CharField(max_length=200)),
                ('title_en', models.CharField(blank=True, max_length=200)),
                ('document', models.JSONField()),
                ('valid_from', models.DateField(null=True)),
                ('valid_to', models.DateField(null=True)),
                ('row_count', models.IntegerField(default=0)),
                ('digest', models.CharField(max_length=80)),
                ('proposed_by', models.CharField(max_length=150)),
                ('proposed_at', models.DateTimeField()),
                ('decided_by', models.CharField(blank=True, max_length=150)),
                ('decided_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'db_table': 'standard_definition',
                'indexes': [models.Index(fields=['kind', 'state', 'name', '-version'], name='standard_de_kind_105624_idx'), models.Index(fields=['state', 'proposed_at'], name='standard_de_state_2692f3_idx')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'name', 'origin', 'version'), name='definition_version_once')],
            },
        ),
        migrations.CreateModel(
            name='ScoreRun',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('state', models.CharField(default='waiting', max_length=8)),
                ('asked_by', models.CharField(max_length=150)),
                ('asked_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('rows_read', models.BigIntegerField(default=0)),
                ('rows_total', models.BigIntegerField(null=True)),
                ('items', models.IntegerField(default=0)),
                ('items_mapped', models.IntegerField(default=0)),
                ('checked', models.BigIntegerField(default=0)),
                ('conforming', models.BigIntegerField(default=0)),
                ('refusal', models.CharField(blank=True, max_length=300)),
                ('resource', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='score_runs', to='catalogue.resource')),
            ],
            options={
                'db_table': 'standard_score_run',
                'indexes': [models.Index(fields=['resource', '-asked_at'], name='standard_sc_resourc_f390ab_idx'), models.Index(fields=['state'], name='standard_sc_state_0605a0_idx')],
            },
        ),
        migrations.CreateModel(
            name='Finding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.IntegerField()),
                ('item', models.CharField(max_length=120)),
                ('element', models.CharField(blank=True, max_length=60)),
                ('held_to', models.CharField(blank=True, max_length=80)),
                ('present', models.BigIntegerField(default=0)),
                ('conforming', models.BigIntegerField(default=0)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='findings', to='standards.scorerun')),
            ],
            options={
                'db_table': 'standard_finding',
                'ordering': ['position'],
                'constraints': [models.UniqueConstraint(fields=('run', 'item'), name='finding_once')],
            },
        ),
        migrations.CreateModel(
            name='DefinitionRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.IntegerField()),
                ('code', models.CharField(max_length=60)),
                ('title_zh', models.CharField(blank=True, max_length=200)),
                ('title_en', models.CharField(blank=True, max_length=200)),
                ('target', models.CharField(blank=True, max_length=60)),
                ('valid_from', models.DateField(null=True)),
                ('valid_to', models.DateField(null=True)),
                ('definition', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='standards.definition')),
            ],
            options={
                'db_table': 'standard_row',
                'ordering': ['position'],
                'indexes': [models.Index(fields=['definition', 'code'], name='standard_ro_definit_6e075c_idx')],
                'constraints': [models.UniqueConstraint(fields=('definition', 'position'), name='standard_row_once')],
            },
        ),
        migrations.CreateModel(
            name='ItemCodes',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('item', models.CharField(max_length=120)),
                ('map_name', models.CharField(db_index=True, max_length=60)),
                ('since', models.DateTimeField()),
                ('offered_at', models.DateTimeField(null=True)),
                ('resource', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalogue.resource')),
            ],
            options={
                'db_table': 'standard_item_codes',
                'constraints': [models.UniqueConstraint(fields=('resource', 'item'), name='item_codes_once')],
            },
        ),
    ]
