from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("posts", "0004_index_for_lists"),
    ]

    operations = [
        migrations.AlterField(
            model_name="address",
            name="address",
            field=models.CharField(max_length=2500),
        ),
    ]
