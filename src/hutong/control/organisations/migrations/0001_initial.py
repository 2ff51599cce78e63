import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Department',
            fields=[
                ('code', models.CharField(max_length=18, primary_key=True, serialize=False)),
                ('name_zh', models.CharField(max_length=200)),
                ('name_en', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'db_table': 'department',
                'ordering': ['name_zh'],
            },
        ),
        migrations.CreateModel(
            name='Succession',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=500)),
                ('moved', models.JSONField(default=dict)),
                ('decided_by', models.CharField(max_length=150)),
                ('decided_at', models.DateTimeField(auto_now_add=True)),
                ('new', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='inheritances', to='organisations.department')),
                ('old', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='successions', to='organisations.department')),
            ],
            options={
                'db_table': 'department_succession',
            },
        ),
    ]
