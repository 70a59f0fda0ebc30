"""What analysts and listeners may state, and which statements are rejected with which message."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from etl.database import SQL_FOLDER, libpq_url
from launch import postgres
from tests.sql.role_warehouse import KINDS, RoleWarehouse, create_role_warehouse, query

_CATALOGUE = """
insert into warehouse.dim_artist (artist_key, artist_id, name, source, made_id, variant_made_id)
select n, 'm' || n, 'Twin', 's', 'name:m', 'name:the-m' from generate_series(3, 4) as n;

insert into warehouse.dim_track (track_key, album_key, recording_key, merged_into_track_key, track_id, name, source)
values (20, 0, 1, 1, 'name:20', 'Secret song 1', 's');

insert into warehouse.track_alias (alias_kind, alias_value, track_key, method, score)
values ('name', 'name:21', 2, 'name', 1);

update warehouse.dim_artist set made_id = 'name:a1' where artist_id = 'a1';

insert into audit.reconciliation (source, from_id, to_id, method, score, run_id)
values ('s', 'name:20', 't1', 'name', 1, 'r');

insert into warehouse.dim_play_context (context_key, platform) values (7, 'Web player')
"""
_ANALYST_CALLS = (
    "mart.leave_out_plays('u3', playlist_id => 'p3')",
    "mart.count_plays_again(0)",
    "mart.state_match('recording', 't1', 't2')",
    "mart.state_difference('recording', 't3', 't4')",
    "mart.revoke_decision(0)",
)
_LISTENER_CALLS = ("mart.leave_out_my_plays(playlist_id => 'p3')", "mart.count_my_plays_again(0)")


@pytest.fixture(scope="module")
def warehouse(embedded_server: postgres.Server, migrated_template: str) -> Iterator[RoleWarehouse]:
    with create_role_warehouse(embedded_server, migrated_template) as role_warehouse:
        role_warehouse.as_loader(_CATALOGUE)
        yield role_warehouse


@pytest.fixture(autouse=True)
def _without_statements(warehouse: RoleWarehouse) -> None:
    warehouse.as_loader("delete from warehouse.match_decision; delete from warehouse.play_exclusion")


def _run(warehouse: RoleWarehouse, kind: str, statement: str) -> list[tuple[object, ...]]:
    connection = warehouse.enter(kind)
    try:
        return query(connection, statement)
    finally:
        connection.close()


def _explain_rejection(warehouse: RoleWarehouse, kind: str, call: str) -> str:
    with pytest.raises(psycopg2.Error) as caught:
        _run(warehouse, kind, f"select {call}")
    return f"{caught.value.diag.message_primary} {caught.value.diag.message_hint or ''}".strip()


@pytest.mark.parametrize("kind", KINDS)
def test_a_role_calls_its_own_functions_alone(warehouse: RoleWarehouse, kind: str) -> None:
    expected = {"analyst": _ANALYST_CALLS, "operator": _ANALYST_CALLS, "listener": _LISTENER_CALLS}.get(kind, ())
    allowed = []
    for call in (*_ANALYST_CALLS, *_LISTENER_CALLS, "warehouse.state_decision('artist', 'a1', 'a2', true, null)"):
        try:
            _run(warehouse, kind, f"select {call}")
        except psycopg2.errors.InsufficientPrivilege:
            continue
        except psycopg2.errors.NoDataFound:  # number 0
            pass
        allowed.append(call)
    assert allowed == list(expected)


def test_a_listener_states_and_takes_back_for_the_own_plays_alone(warehouse: RoleWarehouse) -> None:
    ((own,),) = _run(warehouse, "listener", "select mart.leave_out_my_plays(is_private_session => true, note => 'sh')")
    ((same,),) = _run(warehouse, "listener", "select mart.leave_out_my_plays(is_private_session => true)")
    assert own == same, "stated once"
    ((analyst_s,),) = _run(warehouse, "analyst", "select mart.leave_out_plays('u1', device_type => 'TABLET')")
    _run(warehouse, "other", "select mart.leave_out_my_plays(artist_id => 'a2')")
    assert _run(warehouse, "listener", "select user_id, is_own, note from mart.my_play_exclusion order by 2 desc") == [
        ("u1", True, "sh"),
        ("u1", False, None),
    ]
    for kind, call in (
        ("other", f"mart.count_my_plays_again({own})"),
        ("analyst", f"mart.count_plays_again({own})"),
        ("listener", f"mart.count_my_plays_again({analyst_s})"),
    ):
        assert "holds." in _explain_rejection(warehouse, kind, call)
    _run(warehouse, "listener", f"select mart.count_my_plays_again({own})")
    _run(warehouse, "operator", f"select mart.count_plays_again({analyst_s})")
    assert "holds." in _explain_rejection(warehouse, "listener", f"mart.count_my_plays_again({own})")
    loader = psycopg2.connect(libpq_url(warehouse.url))
    assert query(
        loader,
        "select stated_by, revoked_by, stated_at <= revoked_at from warehouse.play_exclusion"
        " where user_id = 'u1' order by is_own desc",
    ) == [
        (warehouse.names["listener"], warehouse.names["listener"], True),
        (warehouse.names["analyst"], warehouse.names["operator"], True),
    ]
    loader.close()


def test_an_analyst_does_not_see_which_login_or_why_a_listener_stated(warehouse: RoleWarehouse) -> None:
    _run(warehouse, "listener", "select mart.leave_out_my_plays(track_id => 't1', note => 'I am Grace')")
    _run(warehouse, "analyst", "select mart.leave_out_plays('u1', track_id => 't1', note => 'a test device')")
    shown = "select is_own, note, stated_by from mart.play_exclusion order by is_own"
    assert _run(warehouse, "analyst", shown) == [
        (False, "a test device", warehouse.names["analyst"]),
        (True, None, None),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'u1'", "An exclusion needs a condition"),
        ("'nobody', playlist_id => 'p1'", "The user 'nobody' is not known."),
        ("'u1', playlist_id => 'no list'", "The playlist 'no list' is not known."),
        ("'u1', artist_id => 'no'", "The artist 'no' is not known."),
        ("'u1', track_id => 'unknown'", "The track unknown is not known."),
        ("'u1', platform => 'Fridge'", "No event has the platform 'Fridge'."),
        ("'u1', device_type => 'tablet'", "tablet is no device type: MOBILE"),
        ("'u1', first_date => '2026-02-01', last_date => '2026-01-01'", "The first date, 2026-02-01, is after"),
        ("'u1', first_date => 'infinity'", "play_exclusion_dates_are_finite"),
    ],
)
def test_an_exclusion_that_leaves_out_nothing_or_all_is_rejected(
    warehouse: RoleWarehouse, arguments: str, message: str
) -> None:
    actual = _explain_rejection(warehouse, "analyst", f"mart.leave_out_plays({arguments})")
    assert message.replace("'", "") in actual.replace("'", "").replace('"', "")


def test_a_listener_s_exclusions_have_an_end(warehouse: RoleWarehouse) -> None:
    warehouse.as_loader(
        "insert into warehouse.play_exclusion (user_id, first_date, is_own)"
        " select 'u1', date '2000-01-01' + n, true from generate_series(1, 1000) as n"
    )
    call = "mart.leave_out_my_plays(artist_id => 'a1')"
    assert "1000 exclusions already" in _explain_rejection(warehouse, "listener", call)


def test_who_decided_and_when_stays(warehouse: RoleWarehouse) -> None:
    ((decision,),) = _run(warehouse, "analyst", "select mart.state_match('artist', 'a1', 'Artist 2', 'same band')")
    _run(warehouse, "operator", f"select mart.revoke_decision({decision})")
    _run(warehouse, "operator", "select mart.state_difference('artist', 'artist 1', 'a2')")
    assert _run(
        warehouse,
        "analyst",
        "select first_id, second_id, is_match, note, decided_by, decided_at <= revoked_at, revoked_by"
        " from warehouse.match_decision order by decision_id",
    ) == [
        ("a1", "a2", True, "same band", warehouse.names["analyst"], True, warehouse.names["operator"]),
        ("a1", "a2", False, None, warehouse.names["operator"], None, None),
    ]
    assert "No decision" in _explain_rejection(warehouse, "analyst", f"mart.revoke_decision({decision})")


_CONFLICTS = {
    "one and not one": (
        ["match t1 t2", "match t2 t3"],
        "difference t1 t3",
        "t1 and t3 are one recording by decision {0}, {1}",
    ),
    "not one and one": (
        ["match t1 t2", "match t3 t4", "difference t4 t1"],
        "match t2 t3",
        "t2 and t3 cannot be one: decision {2} says that t4 and t1 are not one recording.",
    ),
    "a cycle": (["match t1 t2", "match t2 t3"], "match t3 t1", "t3 and t1 are one recording already, by decision {1}"),
    "the same again": (["difference t1 t2"], "difference t2 t1", "decision {0} says already"),
    "the opposite": (["difference t1 t2"], "match t2 t1", "cannot be one: decision {0}"),
    "one id": ([], "match t1 t1", "Both are the same recording: t1."),
    "an unknown id": ([], "match t1 t99", "No recording has the id or name 't99'."),
    "an id that was merged": ([], "match name:20 t2", "name:20 is a name of the track t1: state it about t1."),
    "a name of a track": ([], "match t1 name:21", "name:21 is a name of the track t2: state it about t2."),
    "a track's own name": ([], "difference t2 name:21", "name:21 is a name of the track t2: state it about t2."),
    "artists: merged into another": (
        ["match artist a1 a2"],
        "match artist m3 a2",
        "a2 is counted as a1 by decision {0}: state it about a1.",
    ),
    "artists: a merged one that others are merged into": (
        ["match artist a1 a2"],
        "match artist a2 m3",
        "a2 is counted as a1 by decision {0}",
    ),
    "artists: a name of two": ([], "match artist a1 Twin", "2 artists are called 'Twin': name one by its id. m3, m4"),
    "artists: a name's id": ([], "match artist a1 name:the-m", "name:the-m is a name of the artist m"),
}


@pytest.mark.parametrize(("earlier", "statement", "message"), _CONFLICTS.values(), ids=_CONFLICTS.keys())
def test_a_decision_that_contradicts_another_is_rejected_by_its_number(
    warehouse: RoleWarehouse, earlier: list[str], statement: str, message: str
) -> None:
    decisions = [_run(warehouse, "analyst", f"select {_to_call(text)}")[0][0] for text in earlier]
    actual = _explain_rejection(warehouse, "analyst", _to_call(statement))
    assert message.format(*decisions) in actual
    assert len(_run(warehouse, "analyst", "select 1 from warehouse.match_decision")) == len(decisions)


def test_what_a_merged_id_is_not_can_be_stated(warehouse: RoleWarehouse) -> None:
    for text in ("difference name:20 t1", "difference artist name:m name:the-m"):
        _run(warehouse, "analyst", f"select {_to_call(text)}")
    assert _run(warehouse, "analyst", "select kind from warehouse.match_decision where not is_match order by 1") == [
        ("artist",),
        ("recording",),
    ]


def test_of_decisions_made_at_once_that_form_a_cycle_one_is_rejected(warehouse: RoleWarehouse) -> None:
    def state(text: str) -> bool:
        try:
            _run(warehouse, "analyst", f"select {_to_call(text)}")
        except psycopg2.errors.IntegrityConstraintViolation:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        stated = list(pool.map(state, ("match artist a1 a2", "match artist a2 m3", "match artist m3 a1")))
    assert sum(stated) in (1, 2)
    merges = "select artist_key from mart.current_artist_merge"
    assert len(_run(warehouse, "analyst", merges)) == sum(stated)


def _list_examples() -> list[tuple[str, str]]:
    """Return the SQL of the page with the role that runs it, in its order."""
    page = (SQL_FOLDER.parent / "docs" / "statements.md").read_text(encoding="utf-8")
    return re.findall(r"-- as an? (\w+)[^\n]*\n(.*?)(?=```|-- as)", page, re.DOTALL)


def test_the_examples_of_the_page_run_as_the_role_that_it_names(warehouse: RoleWarehouse) -> None:
    examples = _list_examples()
    assert {kind for kind, _ in examples} == {"analyst", "listener"}
    for kind, statements in examples:
        connection = warehouse.enter(kind)
        for statement in filter(str.strip, statements.split(";\n")):
            assert query(connection, statement), statement
        connection.close()


def _to_call(text: str) -> str:
    words = text.split()
    kind = words.pop(1) if words[1] == "artist" else "recording"
    verb, first, second = words
    return f"mart.state_{verb}('{kind}', '{first}', '{second}')"
