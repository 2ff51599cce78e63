from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('key_digest', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('prefix', models.CharField(max_length=12)),
                ('department', models.CharField(max_length=18)),
                ('application', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('purpose', models.CharField(blank=True, default='', max_length=64)),
                ('case_number', models.CharField(blank=True, default='', max_length=120)),
            ],
            options={
                'db_table': 'exchange_api_key',
            },
        ),
        migrations.CreateModel(
            name='CodeMap',
            fields=[
                ('id', models.CharField(max_length=120, primary_key=True, serialize=False)),
                ('pairs', models.JSONField()),
            ],
            options={
                'db_table': 'exchange_code_map',
            },
        ),
        migrations.CreateModel(
            name='EditionHead',
            fields=[
                ('terms', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('agreement_id', models.CharField(db_index=True, max_length=80)),
                ('version', models.IntegerField()),
                ('digest', models.CharField(max_length=80)),
                ('mark', models.CharField(max_length=32)),
                ('sure', models.BooleanField(default=False)),
                ('checked_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'exchange_edition',
            },
        ),
        migrations.CreateModel(
            name='Entitlement',
            fields=[
                ('agreement_id', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=40)),
                ('department', models.CharField(max_length=18)),
                ('exchange_url', models.URLField(max_length=300)),
                ('state', models.CharField(max_length=12)),
                ('items', models.JSONField(default=list)),
                ('purposes', models.JSONField(default=list)),
                ('case_key', models.BinaryField()),
                ('ends_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'exchange_entitlement',
            },
        ),
        migrations.CreateModel(
            name='Grant',
            fields=[
                ('agreement_id', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('state', models.CharField(max_length=12)),
                ('document', models.JSONField()),
                ('calls_used', models.BigIntegerField(default=0)),
                ('rows_used', models.BigIntegerField(default=0)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'exchange_grant',
            },
        ),
        migrations.CreateModel(
            name='RecoveryMark',
            fields=[
                ('peer', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('after', models.BigIntegerField()),
            ],
            options={
                'db_table': 'exchange_recovery_mark',
            },
        ),
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('department', models.CharField(db_index=True, max_length=18)),
                ('name', models.CharField(max_length=200)),
                ('kind', models.CharField(max_length=20)),
                ('location', models.BinaryField()),
                ('table', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('checked_at', models.DateTimeField(null=True)),
                ('check_ok', models.BooleanField(default=False)),
                ('check_message', models.CharField(blank=True, max_length=500)),
                ('schema', models.JSONField(default=list)),
                ('row_count', models.BigIntegerField(null=True)),
                ('quarantined', models.BigIntegerField(default=0)),
                ('snapshot', models.CharField(blank=True, max_length=200)),
                ('drift', models.JSONField(default=list)),
                ('drifted_at', models.DateTimeField(db_index=True, null=True)),
                ('changed_item', models.CharField(blank=True, max_length=120)),
            ],
            options={
                'db_table': 'source',
            },
        ),
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('agreement_id', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=40)),
                ('purpose', models.CharField(max_length=64)),
                ('case_digest', models.CharField(max_length=80)),
                ('state', models.CharField(default='open', max_length=8)),
                ('received', models.BigIntegerField(default=0)),
                ('taken', models.BigIntegerField(default=0)),
            ],
            options={
                'db_table': 'exchange_subscribed',
            },
        ),
        migrations.CreateModel(
            name='ChangeBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('exchange_id', models.CharField(max_length=36)),
                ('role', models.CharField(max_length=8)),
                ('agreement_id', models.CharField(max_length=80)),
                ('first', models.BigIntegerField()),
                ('last', models.BigIntegerField()),
                ('size', models.BigIntegerField()),
                ('digest', models.CharField(max_length=80)),
                ('sealed', models.BinaryField()),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'exchange_change_batch',
                'indexes': [models.Index(fields=['agreement_id', 'role', 'last'], name='exchange_ch_agreeme_1933ac_idx')],
                'constraints': [models.UniqueConstraint(fields=('agreement_id', 'role', 'first'), name='change_batch_once')],
            },
        ),
        migrations.CreateModel(
            name='ChangeFeed',
            fields=[
                ('agreement_id', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('peer', models.CharField(max_length=40)),
                ('state', models.CharField(default='waiting', max_length=8)),
                ('keys', models.JSONField(default=list)),
                ('purpose', models.CharField(blank=True, max_length=64)),
                ('case_digest', models.CharField(blank=True, max_length=80)),
                ('snapshot', models.IntegerField(default=0)),
                ('mark', models.CharField(blank=True, max_length=200)),
                ('seen', models.CharField(blank=True, max_length=80)),
                ('under_way', models.IntegerField(default=0)),
                ('copied', models.BigIntegerField(default=0)),
                ('anew', models.BooleanField(default=False)),
                ('next_mark', models.CharField(blank=True, max_length=200)),
                ('next_seen', models.CharField(blank=True, max_length=80)),
                ('position', models.BigIntegerField(default=0)),
                ('acknowledged', models.BigIntegerField(default=0)),
                ('look_at', models.DateTimeField()),
                ('push_at', models.DateTimeField()),
                ('failures', models.IntegerField(default=0)),
                ('trouble', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'db_table': 'exchange_change_feed',
                'indexes': [models.Index(fields=['state', 'look_at'], name='exchange_ch_state_9f4911_idx')],
            },
        ),
        migrations.CreateModel(
            name='DailyUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('agreement_id', models.CharField(max_length=80)),
                ('day', models.DateField()),
                ('calls', models.BigIntegerField(default=0)),
                ('refused', models.BigIntegerField(default=0)),
                ('rows', models.BigIntegerField(default=0)),
            ],
            options={
                'db_table': 'exchange_daily_use',
                'constraints': [models.UniqueConstraint(fields=('agreement_id', 'day'), name='daily_use_once')],
            },
        ),
        migrations.CreateModel(
            name='Download',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('exchange_id', models.CharField(max_length=36)),
                ('role', models.CharField(max_length=8)),
                ('agreement_id', models.CharField(db_index=True, max_length=80)),
                ('peer', models.CharField(max_length=40)),
                ('request_digest', models.CharField(max_length=80)),
                ('document', models.JSONField()),
                ('key_digest', models.CharField(blank=True, max_length=80)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'db_table': 'exchange_download',
                'constraints': [models.UniqueConstraint(fields=('exchange_id', 'role'), name='download_once')],
            },
        ),
        migrations.CreateModel(
            name='ExchangeRecord',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('exchange_id', models.CharField(max_length=36)),
                ('role', models.CharField(max_length=8)),
                ('peer', models.CharField(max_length=40)),
                ('agreement_id', models.CharField(max_length=80)),
                ('purpose', models.CharField(max_length=64)),
                ('case_digest', models.CharField(max_length=80)),
                ('case_number', models.CharField(blank=True, max_length=120)),
                ('application', models.CharField(blank=True, max_length=200)),
                ('outcome', models.CharField(max_length=12)),
                ('code', models.CharField(blank=True, max_length=64)),
                ('form', models.CharField(max_length=8)),
                ('rows', models.BigIntegerField(default=0)),
                ('bytes', models.BigIntegerField(default=0)),
                ('request_digest', models.CharField(max_length=80)),
                ('response_digest', models.CharField(blank=True, max_length=80)),
                ('entry_digest', models.CharField(max_length=80)),
                ('at', models.DateTimeField()),
                ('took_ms', models.IntegerField(default=0)),
                ('age_s', models.IntegerField(null=True)),
            ],
            options={
                'db_table': 'exchange_record',
                'indexes': [models.Index(fields=['agreement_id', 'id'], name='exchange_re_agreeme_09899b_idx'), models.Index(fields=['at'], name='exchange_re_at_a635c8_idx')],
                'constraints': [models.UniqueConstraint(fields=('exchange_id', 'role'), name='exchange_once')],
            },
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('agreement_id', models.CharField(db_index=True, max_length=80)),
                ('url', models.URLField(max_length=300)),
                ('state', models.CharField(default='active', max_length=8)),
                ('position', models.BigIntegerField(default=0)),
                ('push_at', models.DateTimeField()),
                ('failures', models.IntegerField(default=0)),
                ('trouble', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'db_table': 'exchange_webhook',
                'constraints': [models.UniqueConstraint(fields=('agreement_id', 'url'), name='webhook_once')],
            },
        ),
        migrations.CreateModel(
            name='WithheldRows',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('exchange_id', models.CharField(max_length=36)),
                ('role', models.CharField(max_length=8)),
                ('agreement_id', models.CharField(max_length=80)),
                ('items', models.JSONField()),
                ('state', models.CharField(default='waiting', max_length=8)),
                ('sealed', models.BinaryField(default=b'')),
                ('turn', models.IntegerField(default=0)),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'exchange_withheld',
                'indexes': [models.Index(fields=['agreement_id', 'role', 'state', 'id'], name='exchange_wi_agreeme_e4c0c3_idx'), models.Index(fields=['role', 'state', 'id'], name='exchange_wi_role_b6c50a_idx')],
                'constraints': [models.UniqueConstraint(fields=('exchange_id', 'role'), name='withheld_once')],
            },
        ),
    ]
