"""A user's year tells days of the user's own calendar: views made anew."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0017"
down_revision = "0016"

_FILES = ("view/mart/wrapped", "view/mart/my_wrapped", "view/mart/my_comments", "view/mart/read_my")


def upgrade() -> None:
    """Replace the views where they stand already."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
