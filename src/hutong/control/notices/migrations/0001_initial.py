import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(db_index=True)),
                ('code', models.CharField(max_length=60)),
                ('rule', models.CharField(blank=True, max_length=60)),
                ('said_zh', models.TextField()),
                ('said_en', models.TextField()),
                ('subject', models.CharField(db_index=True, max_length=200)),
                ('page', models.JSONField(default=list)),
            ],
            options={
                'db_table': 'notice',
            },
        ),
        migrations.CreateModel(
            name='Told',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('read_at', models.DateTimeField(null=True)),
                ('mailed_at', models.DateTimeField(null=True)),
                ('mail_due_at', models.DateTimeField(db_index=True, null=True)),
                ('mail_attempts', models.IntegerField(default=0)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='told', to='notices.notice')),
            ],
            options={
                'db_table': 'notice_told',
                'indexes': [models.Index(fields=['account', 'read_at', '-id'], name='notice_told_account_98f0b0_idx'), models.Index(fields=['account', 'at', 'id'], name='notice_told_account_963951_idx')],
                'constraints': [models.UniqueConstraint(fields=('notice', 'account'), name='notice_told_once')],
            },
        ),
    ]
