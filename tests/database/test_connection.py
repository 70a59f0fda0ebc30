"""An unusable address leads to an error message without any part of its password."""

import traceback

import pytest

from etl.database import connect
from etl.errors import EtlError

SECRET = "plain42word"


@pytest.mark.parametrize(
    "url",
    [
        SECRET,
        f"me:{SECRET}@127.0.0.1/warehouse",
        f"mysql://me:{SECRET}@127.0.0.1/warehouse",
        f"postgresql://me:{SECRET}@127.0.0.1:port/warehouse",
        f"postgresql://me:x@{SECRET}@127.0.0.1:1/warehouse",
        *(f"postgresql://me:x{sign}{SECRET}@127.0.0.1:1/warehouse" for sign in "/#?:% +&="),
        f"postgresql://127.0.0.1:1/warehouse?user=me&password={SECRET}",
        f"postgresql://me:{SECRET}@127.0.0.1:1/warehouse?nonsense=1",
        f"postgresql://me:{SECRET}@nowhere.invalid/warehouse",
    ],
)
def test_an_address_that_cannot_be_used(url: str) -> None:
    with pytest.raises(EtlError) as caught, connect(url):
        pass
    # Lines of code in a traceback are not text of the user.
    traceback_lines = traceback.format_exception(caught.value)
    assert SECRET not in "".join(traceback_lines)
