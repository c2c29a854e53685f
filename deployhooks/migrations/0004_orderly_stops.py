from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("deployhooks", "0003_remote_state"),
    ]

    operations = [
        migrations.AddField(
            model_name="deploy",
            name="stops",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="How many attempts were ended by an orderly stop of the server.",
            ),
        ),
    ]
