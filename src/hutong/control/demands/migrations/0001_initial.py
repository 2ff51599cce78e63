import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('organisations', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='DutyList',
            fields=[
                ('origin', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('version', models.IntegerField()),
                ('digest', models.CharField(max_length=80)),
                ('received_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'duty_list',
            },
        ),
        migrations.CreateModel(
            name='ListSent',
            fields=[
                ('jurisdiction', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('version', models.IntegerField()),
                ('sent_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'duty_list_sent',
            },
        ),
        migrations.CreateModel(
            name='Demand',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('home', models.CharField(max_length=40)),
                ('department_code', models.CharField(max_length=18)),
                ('department_name', models.CharField(max_length=200)),
                ('department_name_en', models.CharField(blank=True, max_length=200)),
                ('filed_by', models.CharField(blank=True, max_length=150)),
                ('title', models.CharField(max_length=200)),
                ('what_for', models.TextField()),
                ('basis', models.TextField()),
                ('scope', models.TextField()),
                ('purpose', models.CharField(max_length=64)),
                ('items', models.JSONField(default=list)),
                ('area_code', models.CharField(blank=True, max_length=12)),
                ('update_cycle', models.CharField(blank=True, max_length=2)),
                ('why_not', models.TextField(blank=True)),
                ('target', models.CharField(blank=True, max_length=40)),
                ('holder', models.CharField(max_length=40)),
                ('parties', models.JSONField(default=list)),
                ('state', models.CharField(default='filed', max_length=12)),
                ('step', models.IntegerField(default=0)),
                ('twins', models.CharField(blank=True, max_length=71)),
                ('working', models.CharField(max_length=71, null=True, unique=True)),
                ('joined_to', models.CharField(blank=True, max_length=36)),
                ('lead_code', models.CharField(blank=True, max_length=18)),
                ('lead_name', models.CharField(blank=True, max_length=200)),
                ('lead_name_en', models.CharField(blank=True, max_length=200)),
                ('due_on', models.DateField(null=True)),
                ('resource_id', models.CharField(blank=True, max_length=36)),
                ('refusal_code', models.CharField(blank=True, max_length=40)),
                ('refusal_reason', models.TextField(blank=True)),
                ('refusal_citation', models.CharField(blank=True, max_length=300)),
                ('note', models.TextField(blank=True)),
                ('withdrawal', models.TextField(blank=True)),
                ('filed_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'demand',
                'indexes': [models.Index(fields=['-filed_at', '-id'], name='demand_filed_a_4ac4d3_idx'), models.Index(fields=['home', '-filed_at', '-id'], name='demand_home_8a53c9_idx'), models.Index(fields=['home', 'department_code', '-filed_at', '-id'], name='demand_home_f6bae4_idx'), models.Index(fields=['holder', '-filed_at', '-id'], name='demand_holder_ec9334_idx'), models.Index(fields=['holder', 'state', 'lead_code', '-filed_at'], name='demand_holder_149339_idx'), models.Index(fields=['joined_to'], name='demand_joined__038bff_idx')],
            },
        ),
        migrations.CreateModel(
            name='Duty',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('origin', models.CharField(max_length=40)),
                ('department_code', models.CharField(max_length=18)),
                ('department_name', models.CharField(max_length=200)),
                ('department_name_en', models.CharField(blank=True, max_length=200)),
                ('title_zh', models.CharField(max_length=200)),
                ('title_en', models.CharField(blank=True, max_length=200)),
                ('words', models.CharField(blank=True, max_length=500)),
                ('elements', models.JSONField(default=list)),
                ('area_code', models.CharField(blank=True, max_length=12)),
                ('update_cycle', models.CharField(blank=True, max_length=2)),
                ('basis', models.CharField(blank=True, max_length=300)),
                ('lead', models.BooleanField(default=False)),
                ('leads', models.CharField(max_length=71, null=True, unique=True)),
                ('resource_id', models.CharField(blank=True, max_length=36)),
                ('demand_id', models.CharField(blank=True, max_length=36)),
                ('list_version', models.IntegerField(default=0)),
                ('state', models.CharField(default='active', max_length=8)),
                ('ended_because', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'duty',
                'indexes': [models.Index(fields=['origin', 'state', '-id'], name='duty_origin_b0fdfe_idx'), models.Index(fields=['origin', 'department_code', 'state', '-id'], name='duty_origin_356b36_idx')],
            },
        ),
        migrations.CreateModel(
            name='ListVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=8)),
                ('version', models.IntegerField()),
                ('lines', models.JSONField(default=list)),
                ('added', models.IntegerField(default=0)),
                ('gone', models.IntegerField(default=0)),
                ('changed', models.IntegerField(default=0)),
                ('digest', models.CharField(max_length=80)),
                ('published_at', models.DateTimeField()),
                ('published_by', models.CharField(max_length=150)),
            ],
            options={
                'db_table': 'list_version',
                'constraints': [models.UniqueConstraint(fields=('kind', 'version'), name='list_version_once')],
            },
        ),
        migrations.CreateModel(
            name='Barred',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('title_zh', models.CharField(max_length=200)),
                ('title_en', models.CharField(blank=True, max_length=200)),
                ('resource_id', models.CharField(blank=True, max_length=36)),
                ('items', models.JSONField(default=list)),
                ('elements', models.JSONField(default=list)),
                ('kind', models.CharField(max_length=12)),
                ('instrument', models.CharField(max_length=200)),
                ('article', models.CharField(max_length=60)),
                ('reason', models.TextField(blank=True)),
                ('state', models.CharField(default='proposed', max_length=10)),
                ('proposed_by', models.CharField(max_length=150)),
                ('reviewed_by', models.CharField(blank=True, max_length=150)),
                ('review_note', models.CharField(blank=True, max_length=500)),
                ('proposed_at', models.DateTimeField(auto_now_add=True)),
                ('reviewed_at', models.DateTimeField(null=True)),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='barred', to='organisations.department')),
            ],
            options={
                'db_table': 'barred',
                'indexes': [models.Index(fields=['state', '-id'], name='barred_state_a7d9fe_idx'), models.Index(fields=['department', 'state', '-id'], name='barred_departm_2bb77c_idx')],
            },
        ),
        migrations.CreateModel(
            name='DutyTerm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('term', models.CharField(max_length=80)),
                ('duty', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='terms', to='demands.duty')),
            ],
            options={
                'db_table': 'duty_term',
                'indexes': [models.Index(fields=['term', 'duty'], name='duty_term_term_b1425d_idx')],
            },
        ),
    ]
