from django.db import migrations, models


def stand_alone(apps, schema_editor):
    """Until the next index tells which posts are translations of one another."""
    apps.get_model("posts", "Post").objects.update(original=models.F("path"))


class Migration(migrations.Migration):
    dependencies = [
        ("posts", "0007_what_may_be_linked_to"),
    ]

    operations = [
        migrations.AddField(
            model_name="post",
            name="is_translation",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="post",
            name="original",
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
        migrations.AddField(
            model_name="post",
            name="precedence",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="post",
            name="stated_language",
            field=models.CharField(blank=True, db_default="", default="", max_length=20),
        ),
        migrations.AlterField(
            model_name="post",
            name="digest",
            field=models.CharField(max_length=200),
        ),
        migrations.AlterField(
            model_name="post",
            name="language",
            field=models.CharField(blank=True, max_length=20, verbose_name="language"),
        ),
        migrations.RunPython(stand_alone, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(fields=["original", "precedence"], name="post_translations"),
        ),
    ]
