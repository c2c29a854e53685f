"""The table in which SQLite looks for words; PostgreSQL needs none."""

from django.db import migrations


def make_table(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(
            "CREATE VIRTUAL TABLE posts_search USING fts5(title, text, tokenize='trigram')"
        )


def drop_table(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE posts_search")


class Migration(migrations.Migration):
    dependencies = [("posts", "0001_posts_and_their_addresses")]

    operations = [migrations.RunPython(make_table, drop_table)]
