from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='DirectoryCopy',
            fields=[
                ('id', models.IntegerField(default=1, primary_key=True, serialize=False)),
                ('version', models.BigIntegerField()),
                ('document', models.BinaryField()),
                ('signature', models.CharField(max_length=200)),
                ('keyid', models.CharField(max_length=120)),
                ('fetched_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'directory_copy',
            },
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('jurisdiction', models.CharField(max_length=40)),
                ('secret_digest', models.CharField(max_length=80, unique=True)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'invitation',
            },
        ),
        migrations.CreateModel(
            name='Member',
            fields=[
                ('jurisdiction', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('name_zh', models.CharField(max_length=200)),
                ('name_en', models.CharField(blank=True, max_length=200)),
                ('place', models.CharField(max_length=20)),
                ('superior', models.CharField(blank=True, max_length=40)),
                ('base_url', models.URLField(max_length=300)),
                ('exchange_url', models.URLField(max_length=300)),
                ('keys', models.JSONField(default=list)),
                ('log_vkey', models.CharField(blank=True, max_length=300)),
                ('valid_from', models.DateTimeField()),
                ('valid_to', models.DateTimeField(null=True)),
                ('version', models.BigIntegerField()),
            ],
            options={
                'db_table': 'member',
            },
        ),
        migrations.CreateModel(
            name='OutsidePeer',
            fields=[
                ('participant', models.CharField(max_length=180, primary_key=True, serialize=False)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('addresses', models.JSONField(default=list)),
                ('token_digest', models.CharField(max_length=80, unique=True)),
                ('authorization', models.BinaryField(default=b'')),
                ('added_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'db_table': 'outside_peer',
            },
        ),
        migrations.CreateModel(
            name='InboxMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('message_id', models.CharField(max_length=36)),
                ('peer', models.CharField(max_length=40)),
                ('request_digest', models.CharField(max_length=80)),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('status', models.IntegerField()),
                ('answer', models.BinaryField()),
                ('content_type', models.CharField(max_length=100)),
            ],
            options={
                'db_table': 'inbox_message',
                'constraints': [models.UniqueConstraint(fields=('peer', 'message_id'), name='inbox_once')],
            },
        ),
        migrations.CreateModel(
            name='OutboxMessage',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('message_id', models.CharField(max_length=36, unique=True)),
                ('peer', models.CharField(max_length=200)),
                ('process', models.CharField(max_length=120)),
                ('method', models.CharField(default='POST', max_length=8)),
                ('url', models.URLField(max_length=2000)),
                ('body', models.BinaryField()),
                ('content_type', models.CharField(default='application/json', max_length=100)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('attempts', models.IntegerField(default=0)),
                ('next_at', models.DateTimeField(db_index=True)),
                ('delivered_at', models.DateTimeField(db_index=True, null=True)),
                ('failed_at', models.DateTimeField(null=True)),
                ('last_status', models.IntegerField(null=True)),
                ('last_error', models.CharField(blank=True, max_length=500)),
                ('answer', models.BinaryField(null=True)),
                ('traceparent', models.CharField(blank=True, max_length=55)),
            ],
            options={
                'db_table': 'outbox_message',
                'indexes': [models.Index(fields=['peer', 'process', 'id'], name='outbox_mess_peer_599115_idx')],
            },
        ),
        migrations.CreateModel(
            name='SeenNonce',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('keyid', models.CharField(max_length=120)),
                ('nonce', models.CharField(max_length=64)),
                ('seen_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'db_table': 'seen_nonce',
                'constraints': [models.UniqueConstraint(fields=('keyid', 'nonce'), name='nonce_once')],
            },
        ),
    ]
