"""What Alembic runs for each upgrade: the versions, on the connection that `cti.store.schema` hands over."""

from alembic import context

from cti.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
