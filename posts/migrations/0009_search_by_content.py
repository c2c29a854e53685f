"""What is searched is found by its content: until it is indexed anew, by the row that had it."""

from django.db import migrations, models


def keep_what_is_there(apps, schema_editor):
    posts = apps.get_model("posts", "Post").objects.filter(is_rendered=True)
    posts.update(search_key=models.F("pk"))


class Migration(migrations.Migration):
    dependencies = [("posts", "0008_translations")]

    operations = [
        migrations.AddField(
            model_name="post",
            name="search_key",
            field=models.BigIntegerField(null=True),
        ),
        migrations.RunPython(keep_what_is_there, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(fields=["search_key"], name="post_by_search_key"),
        ),
    ]
