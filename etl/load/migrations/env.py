"""Alembic's entry: runs revisions on the connection that ``etl.load.migrate`` brings, inside its transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="schema_revision",
    version_table_schema="audit",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
