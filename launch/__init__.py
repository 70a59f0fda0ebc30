"""What bin/run, bin/test and bin/psql do, in the order in which a start needs it.

    secrets_store    passwords made once, readable by their owner only
    postgres_place   where the embedded server's files and binaries lie, and which user runs it
    postgres         the embedded PostgreSQL: start, stop, address

The rest of the product runs without this package: it takes WAREHOUSE_URL and its fellow settings
from the environment, whoever sets them.
"""
