"""Attempts of a login to read data of others: the attacks of the benchmark, each in each role."""

from collections.abc import Iterator

import pytest

from campaigns.attack_cases.attack import Attack, AttackContext, run_statements
from campaigns.attack_cases.disclosure_attacks import ATTACKS
from launch import postgres
from tests.sql.role_warehouse import RoleWarehouse, create_role_warehouse

_OTHER_ROLES = {"analyst": "listener", "operator": "artist", "listener": "other", "artist": "analyst"}


@pytest.fixture(scope="module")
def warehouse(embedded_server: postgres.Server, migrated_template: str) -> Iterator[RoleWarehouse]:
    with create_role_warehouse(embedded_server, migrated_template) as role_warehouse:
        role_warehouse.as_loader(
            "update warehouse.dim_playlist set owner_id = 'account-' || owner_id where playlist_key > 2"
        )
        role_warehouse.as_loader("analyze")
        yield role_warehouse


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_shows_nothing_that_is_hidden(warehouse: RoleWarehouse, attack: Attack) -> None:
    for role in attack.roles:
        other_role = _OTHER_ROLES[role]
        admin_url = warehouse.server.build_url("postgres", warehouse.database)
        scene = AttackContext(
            warehouse.url, admin_url, role, warehouse.url_of(role), other_role, warehouse.url_of(other_role)
        )
        if attack.prepare is not None:
            attack.prepare(scene)
        names = {"login": f'"{scene.login}"', "other": f'"{scene.other_login}"'}
        statements = [statement.format(**names) for statement in attack.statements]
        scene.outcomes += run_statements(scene.login_url, statements) if statements else []
        assert attack.find_violation is not None
        assert attack.find_violation(scene) is None, role


def test_an_attack_that_succeeds_is_seen(warehouse: RoleWarehouse) -> None:
    scene = AttackContext(warehouse.url, warehouse.url, "loader", warehouse.url, "analyst", warehouse.url_of("analyst"))
    rows_shown = {}
    for attack in ATTACKS:
        if (
            attack.prepare is None
            and attack.statements
            and attack.find_violation is not None
            and "{" not in "".join(attack.statements)
        ):
            scene.outcomes = run_statements(warehouse.url, list(attack.statements))
            rows_shown[attack.name] = attack.find_violation(scene) is not None
    assert {"owners of playlists", "a whole row", "sizes of tables", "counters of tables"} <= {
        n for n in rows_shown if rows_shown[n]
    }
    assert sum(rows_shown.values()) > 0.7 * len(rows_shown)
