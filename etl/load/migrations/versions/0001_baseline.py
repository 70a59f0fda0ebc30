"""The state that later revisions start from.

It changes nothing: ``etl.load.migrate`` makes a new warehouse from sql/schema at the newest revision, and marks one of
the last development version as being at this revision. A later revision changes such a warehouse, and sql/schema
gets the same state; tests/load/test_schema.py compares the two.
"""

revision = "0001_baseline"
down_revision = None


def upgrade() -> None:
    """Change nothing."""
