"""The short form of the attack campaign: all attacks that resist a removal, and one of each kind that blocks work."""

from collections.abc import Iterator

import pytest

from campaigns.attack_cases import login_attacks
from campaigns.attack_cases.attack import Attack, AttackContext
from campaigns.attack_cases.attack_runner import (
    TargetWarehouse,
    create_other_database,
    pair_roles,
    run_attack,
    run_concurrent_migration,
)
from campaigns.attacks import list_attacks
from etl.database import lock_warehouse, sessions
from etl.load.access.grants import ROLES
from etl.load.marts import MartDefinition, build_marts
from launch import postgres
from tests.sql.role_warehouse import create_role_warehouse

STOPS = (
    "a lock taken again and again",
    "an idle repeatable read",
    "all tables read in one transaction",
    "connections",
    "raise log without end",
    "temporary files after the limit is lifted",
    "notifications that nobody fetches",
    "20,000 playlists asked for",
    "a request that is taken back and never committed",
    "locks and writes of the server that are shut",
)


@pytest.fixture(scope="module")
def target(embedded_server: postgres.Server, migrated_template: str) -> Iterator[TargetWarehouse]:
    with create_role_warehouse(embedded_server, migrated_template) as role_warehouse:
        create_other_database(embedded_server)

        def run_loads() -> None:
            with lock_warehouse(role_warehouse.url) as connection:
                build_marts(connection, MartDefinition(30_000, 30), is_full_refresh=True)
                connection.commit()
            run_concurrent_migration(role_warehouse.url)

        run_loads()
        yield TargetWarehouse(
            embedded_server, role_warehouse.database, {"listener": "u3", "artist": "a2"}, run_loads, 60
        )


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "BLOCKING_TIMEOUT_SECONDS", 0.5)


def pair_attacks(chosen: list[Attack]) -> list[tuple[Attack, str, str]]:
    """Pair each attack with one of its roles; the roles alternate."""
    turns = pair_roles(chosen)
    return [
        next(turn for turn in turns if turn[0] is attack and turn[1] == attack.roles[number % len(attack.roles)])
        for number, attack in enumerate(chosen)
    ]


REMOVALS = [attack for attack in login_attacks.ATTACKS if attack.kind == "removal"]
SHORT = pair_attacks(REMOVALS) + pair_attacks([attack for attack in login_attacks.ATTACKS if attack.name in STOPS])


@pytest.mark.parametrize(("attack", "role", "other_role"), SHORT, ids=lambda value: getattr(value, "name", value))
def test_an_attack_leads_to_nothing(target: TargetWarehouse, attack: Attack, role: str, other_role: str) -> None:
    assert run_attack(attack, role, other_role, target).violations == ()


def test_the_campaign_would_notice_what_succeeds(target: TargetWarehouse) -> None:
    def show_scene(scene: AttackContext) -> str | None:
        return "it shows" if scene.outcomes[0].rows == ((1,),) else None

    assert run_attack(
        Attack("a leak", "leak", ("select 1",), find_violation=show_scene), "analyst", "artist", target
    ).violations == ("it shows",)

    def fail() -> None:
        raise ValueError("stopped")

    stopped = TargetWarehouse(target.server, target.database, target.ids_by_role, fail, 60)
    (fault,) = run_attack(Attack("a stop", "stop", ("select 1",)), "analyst", "artist", stopped).violations
    assert "the work failed: ValueError: stopped" in fault


def test_all_pairs_of_roles_occur_and_names_are_told_apart() -> None:
    chosen = list_attacks()
    assert {(role, second_role) for _, role, second_role in pair_roles(chosen)} == {
        (a, b) for a in ROLES for b in ROLES if a != b
    }
    assert len({attack.name for attack in chosen}) == len(chosen) >= 50
    assert set(STOPS) <= {attack.name for attack in chosen}
