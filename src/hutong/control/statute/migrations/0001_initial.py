import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('subject', models.CharField(db_index=True, max_length=200)),
                ('day', models.DateField(db_index=True)),
                ('made_at', models.DateTimeField()),
                ('facts', models.JSONField()),
                ('parameters', models.JSONField()),
                ('days', models.JSONField()),
                ('outcome', models.JSONField()),
                ('program', models.CharField(max_length=40)),
            ],
            options={
                'db_table': 'decision',
                'indexes': [models.Index(fields=['made_at', 'id'], name='decision_made_at_113a95_idx')],
            },
        ),
        migrations.CreateModel(
            name='ParameterVersion',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('rule', models.CharField(max_length=120)),
                ('name', models.CharField(max_length=60)),
                ('level', models.CharField(max_length=8)),
                ('value', models.IntegerField()),
                ('since', models.DateField()),
                ('source', models.CharField(max_length=300)),
                ('proposed_by', models.CharField(max_length=150)),
                ('proposed_at', models.DateTimeField()),
                ('decided_by', models.CharField(blank=True, max_length=150)),
                ('decided_at', models.DateTimeField(null=True)),
                ('state', models.CharField(default='proposed', max_length=8)),
            ],
            options={
                'db_table': 'parameter_version',
                'indexes': [models.Index(fields=['rule', 'name', 'state', '-since'], name='parameter_v_rule_7fab2e_idx')],
            },
        ),
        migrations.CreateModel(
            name='RefusalCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(max_length=120)),
                ('day', models.DateField()),
                ('refused', models.BigIntegerField(default=0)),
            ],
            options={
                'db_table': 'refusal_count',
                'constraints': [models.UniqueConstraint(fields=('rule', 'day'), name='refusal_count_once')],
            },
        ),
        migrations.CreateModel(
            name='RuleApplied',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(max_length=120)),
                ('day', models.DateField()),
                ('made_at', models.DateTimeField()),
                ('decision', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='applied', to='statute.decision')),
            ],
            options={
                'db_table': 'rule_applied',
                'indexes': [models.Index(fields=['day', 'rule'], name='rule_applie_day_262bab_idx'), models.Index(fields=['rule', 'made_at', 'id'], name='rule_applie_rule_29b9d7_idx')],
                'constraints': [models.UniqueConstraint(fields=('decision', 'rule'), name='rule_applied_once')],
            },
        ),
    ]
