"""The campaign of attacks, in short: each that resists a removal, and of those that stop work one of each kind."""

from collections.abc import Iterator

import pytest

from benchmarks import _attack_logins
from benchmarks._attack import Attack, Scene
from benchmarks._attack_run import Ground, make_elsewhere, migrate_beside, pairs, run
from benchmarks.attacks import attacks
from etl.load.access import ROLES
from etl.load.marts import Definition, build
from etl.warehouse import exclusive, sessions
from launch import postgres
from tests.sql.access_place import people

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
def ground(embedded_server: postgres.Server, migrated_template: str) -> Iterator[Ground]:
    with people(embedded_server, migrated_template) as place:
        make_elsewhere(embedded_server)

        def work() -> None:
            with exclusive(place.url) as connection:
                build(connection, Definition(30_000, 30), is_from_nothing=True)
                connection.commit()
            migrate_beside(place.url)

        work()
        yield Ground(embedded_server, place.database, {"listener": "u3", "artist": "a2"}, work, 60)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "PATIENCE_SECONDS", 0.5)


def once(chosen: list[Attack]) -> list[tuple[Attack, str, str]]:
    """Each attack by one of its roles; the roles take turns."""
    turns = pairs(chosen)
    return [
        next(turn for turn in turns if turn[0] is attack and turn[1] == attack.roles[number % len(attack.roles)])
        for number, attack in enumerate(chosen)
    ]


REMOVALS = [attack for attack in _attack_logins.ATTACKS if attack.kind == "removal"]
SHORT = once(REMOVALS) + once([attack for attack in _attack_logins.ATTACKS if attack.name in STOPS])


@pytest.mark.parametrize(("attack", "role", "other_role"), SHORT, ids=lambda value: getattr(value, "name", value))
def test_an_attack_leads_to_nothing(ground: Ground, attack: Attack, role: str, other_role: str) -> None:
    assert run(attack, role, other_role, ground).faults == ()


def test_the_campaign_would_notice_what_succeeds(ground: Ground) -> None:
    def shown(scene: Scene) -> str | None:
        return "it shows" if scene.outcomes[0].rows == ((1,),) else None

    assert run(Attack("a leak", "leak", ("select 1",), fault=shown), "analyst", "artist", ground).faults == (
        "it shows",
    )

    def fail() -> None:
        raise ValueError("stopped")

    stopped = Ground(ground.server, ground.database, ground.ids, fail, 60)
    (fault,) = run(Attack("a stop", "stop", ("select 1",)), "analyst", "artist", stopped).faults
    assert "the work failed: ValueError: stopped" in fault


def test_all_pairs_of_roles_occur_and_names_are_told_apart() -> None:
    chosen = attacks()
    assert {(role, other) for _, role, other in pairs(chosen)} == {(a, b) for a in ROLES for b in ROLES if a != b}
    assert len({attack.name for attack in chosen}) == len(chosen) >= 50
    assert set(STOPS) <= {attack.name for attack in chosen}
