from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AuditRecord',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField(db_index=True)),
                ('kind', models.CharField(db_index=True, max_length=64)),
                ('subject', models.CharField(db_index=True, max_length=200)),
                ('actor', models.CharField(max_length=200)),
                ('detail', models.JSONField(default=dict)),
                ('entry_digest', models.CharField(max_length=80)),
            ],
            options={
                'db_table': 'audit_record',
            },
        ),
        migrations.CreateModel(
            name='ForkEvidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(db_index=True, max_length=255)),
                ('first_note', models.TextField()),
                ('second_note', models.TextField()),
                ('found_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'db_table': 'fork_evidence',
            },
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=64)),
                ('entry', models.BinaryField()),
                ('leaf_index', models.BigIntegerField(null=True, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'db_table': 'ledger_entry',
            },
        ),
        migrations.CreateModel(
            name='WitnessedCheckpoint',
            fields=[
                ('origin', models.CharField(max_length=255, primary_key=True, serialize=False)),
                ('size', models.BigIntegerField()),
                ('note', models.TextField()),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'witnessed_checkpoint',
            },
        ),
        migrations.CreateModel(
            name='DailyReconciliation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('peer', models.CharField(max_length=40)),
                ('day', models.DateField()),
                ('at', models.DateTimeField()),
                ('since', models.CharField(blank=True, max_length=40)),
                ('state', models.CharField(max_length=12)),
                ('trouble', models.CharField(blank=True, max_length=64)),
                ('agreed', models.BigIntegerField(default=0)),
                ('unanswered', models.BigIntegerField(default=0)),
                ('pending', models.BigIntegerField(default=0)),
                ('behind', models.BigIntegerField(default=0)),
                ('our_size', models.BigIntegerField(default=0)),
                ('their_size', models.BigIntegerField(default=0)),
                ('differences', models.JSONField(default=list)),
            ],
            options={
                'db_table': 'daily_reconciliation',
                'constraints': [models.UniqueConstraint(fields=('peer', 'day'), name='reconciled_once_a_day')],
            },
        ),
    ]
