import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('agreements', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Reply',
            fields=[
                ('id', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('department', models.CharField(blank=True, max_length=18)),
                ('kind', models.CharField(max_length=8)),
                ('content', models.JSONField(default=dict)),
                ('state', models.CharField(default='proposed', max_length=10)),
                ('proposed_by', models.CharField(max_length=150)),
                ('proposed_at', models.DateTimeField(auto_now_add=True)),
                ('decided_by', models.CharField(blank=True, max_length=150)),
                ('decided_at', models.DateTimeField(null=True)),
                ('note', models.TextField(blank=True)),
                ('negotiation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='replies', to='agreements.negotiation')),
            ],
            options={
                'db_table': 'reply',
                'indexes': [models.Index(fields=['state', 'department', 'proposed_at'], name='reply_state_3a322c_idx')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'proposed')), fields=('negotiation',), name='reply_one_proposed')],
            },
        ),
    ]
