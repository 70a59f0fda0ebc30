"""Connections by hashes."""

import numpy as np

from etl.transform.catalogue.links import Hashes, NameLinks, find_reached


def _hashes(*values: int) -> Hashes:
    return np.array(values, dtype=np.int64)


def test_everything_that_edges_connect_is_reached() -> None:
    edges = [(_hashes(1, 2, 7), _hashes(2, 3, 8)), (_hashes(4, 5), _hashes(3, 0))]
    assert find_reached(_hashes(4), edges).tolist() == [1, 2, 3, 4]
    assert find_reached(_hashes(0, 5, 9), edges).tolist() == [5, 9]
    assert find_reached(_hashes(), edges).tolist() == []


def test_only_an_id_that_a_name_has_not_had_makes_its_tracks_likely_to_change() -> None:
    last = NameLinks(_hashes(1, 2, 3), _hashes(10, 10, 11), _hashes(0, 100, 0))
    assert last.find_tracks_of_new_ids(NameLinks(_hashes(9), _hashes(10), _hashes(100))).tolist() == []
    assert last.find_tracks_of_new_ids(NameLinks(_hashes(9), _hashes(10), _hashes(0))).tolist() == []
    assert last.find_tracks_of_new_ids(NameLinks(_hashes(9), _hashes(10), _hashes(101))).tolist() == [1, 2]
    assert last.find_tracks_of_new_ids(NameLinks(_hashes(9), _hashes(11), _hashes(100))).tolist() == [3]
