"""The mutations that the benchmark of the tests applies: each is a plausible mistake and changes the program."""

from collections.abc import Collection

import pytest

from campaigns.mutation import TESTS, draw_mutants
from campaigns.mutation_runs.mutants import Mutant, make_mutants
from etl.settings import CHECKOUT

PYTHON = '''
"""A docstring: 1 < 2 and not 3."""
def chosen(rows: int | None) -> bool:
    if rows <= 2 and not is_odd(rows):
        raise ValueError("less than 3 rows, and none is odd")
    kept = [row for row in frame.distinct().where(a & ~b) if row]
    return F.coalesce(one, other) or QUERY
QUERY = "select distinct 'ü', coalesce(a, b) as c from t inner join s on t.id = s.id where t.n >= 5 order by x desc, y"
NAME = "a column"
'''
SQL = """-- Where 1 < 2 and so on.
update a as t
set b = s.b
from s
where t.id = s.id
    and t.n between 1 and 2
    and (t.c is null
    or not exists (select from u));
insert into v select 1, -1, 'x2' from w union all select max(k) + 1 from w
"""


def list_changes(path: str, text: str) -> set[tuple[str, str]]:
    return {(mutant.old, mutant.new) for mutant in make_mutants(path, text)}


def test_python_and_the_sql_in_it_are_changed_and_what_only_says_something_is_not() -> None:
    mutations = list_changes("x.py", PYTHON)
    assert {("<=", "<"), ("<=", ">"), ("and", "or"), ("not is_odd(rows)", "is_odd(rows)"), ("2", "3")} <= mutations
    assert {(".distinct()", ""), (".where(a & ~b)", ""), ("&", "|"), ("~b", "b"), ("row", "True")} <= mutations
    assert {("one, other", "other, one"), ("or", "and"), ("a, b", "b, a"), ("=", "<>"), (">=", "<=")} & mutations
    assert {("select distinct", "select"), ("inner join", "left join"), ("desc", "asc"), ("5", "6")} <= mutations
    assert not any('odd"' in old or "docstring" in old or "column" in old or old == "|" for old, _ in mutations)
    # The numbers 1 and 3 of the docstring and 3 of the error message stay as they are.
    assert not {("1", "2"), ("3", "4")} & mutations


def test_sql_is_changed_where_it_compares_and_not_where_it_assigns_or_comments() -> None:
    mutants = make_mutants("x.sql", SQL)
    equal = [mutant for mutant in mutants if mutant.old == "="]
    assert [SQL.count("\n", 0, mutant.start) + 1 for mutant in equal] == [5]
    assert all(mutant.start > SQL.index("update") for mutant in mutants)
    mutations = {(mutant.old, mutant.new) for mutant in mutants}
    assert {("is null", "is not null"), ("or", "and"), ("not exists", "exists"), ("union all", "union")} <= mutations
    assert {("max(", "min("), ("+", "-"), ("    and t.n between 1 and 2\n", "")} <= mutations
    assert not any(old == "2" and new == "3" and "x2" in SQL[at : at + 2] for old, new, at in _locate_mutants(mutants))


def _locate_mutants(mutants: Collection[Mutant]) -> list[tuple[str, str, int]]:
    return [(mutant.old, mutant.new, mutant.start - 1) for mutant in mutants]


@pytest.mark.parametrize(("path", "text"), [("x.py", PYTHON), ("x.sql", SQL)])
def test_each_mutant_is_another_text_once(path: str, text: str) -> None:
    mutants = make_mutants(path, text)
    applied = [mutant.apply_to(text) for mutant in mutants]
    assert text not in applied and len(set(applied)) == len(applied)
    with pytest.raises(ValueError, match="has changed"):
        mutants[0].apply_to("\n" + text)


def test_a_seed_draws_the_same_mutants_fewer_of_them_first() -> None:
    more = draw_mutants(CHECKOUT, 200, 7)
    assert draw_mutants(CHECKOUT, 20, 7) == more[:20] != draw_mutants(CHECKOUT, 20, 8)
    assert len(set(more)) == 200


def test_the_files_and_tests_that_it_names_are_there() -> None:
    named = [*TESTS, *(test for tests in TESTS.values() for test in tests)]
    assert [name for name in named if not (CHECKOUT / name).is_file()] == []
