"""An address cannot inject lines into the connection file of PostgreSQL's clients."""

import pytest

from etl.errors import ActionNeededError
from launch.psql import _replace_login
from launch.warehouse_client import make_client_environment

URL = "postgresql://loader:secret@127.0.0.1:1/warehouse"


@pytest.mark.parametrize("name", ["ada\nhost=elsewhere", "ada\0", "ada\x1b[2J", "\udcff"])
def test_a_name_with_control_characters_is_refused(name: str) -> None:
    with (
        pytest.raises(ActionNeededError, match="has a control character"),
        make_client_environment(_replace_login(URL, name)),
    ):
        raise AssertionError("it was taken")


def test_a_password_with_a_line_end_is_refused_and_not_shown() -> None:
    url = "postgresql://loader:a%0Ahost=elsewhere@127.0.0.1:1/warehouse"
    with pytest.raises(ActionNeededError, match="password of the warehouse's") as failure, make_client_environment(url):
        raise AssertionError("it was taken")
    assert "elsewhere" not in str(failure.value)
