"""The displayed names of playlists if names are missing or equal."""

import pandas as pd
import pytest

from dashboard.playlists import _make_names_unique


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["Rain", "Sun"], ["Rain", "Sun"]),
        (["Rain", "Rain", "Rain"], ["Rain", "Rain (p1)", "Rain (p2)"]),
        (["", "Rain"], ["(without a name)", "Rain"]),
        ([" ", None], ["(without a name)", "(without a name) (p1)"]),
    ],
)
def test_each_playlist_is_called_something_and_no_two_the_same(names: list[str | None], shown: list[str]) -> None:
    playlists = pd.DataFrame({"playlist_id": [f"p{number}" for number in range(len(names))], "playlist": names})
    assert _make_names_unique(playlists) == shown
