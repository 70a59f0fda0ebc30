"""What a person with a login may try to learn of others: the attacks of the benchmark, each by each role."""

from collections.abc import Iterator

import pytest

from campaigns.attack_cases.attack import AttackContext, run_statements
from campaigns.attack_cases.disclosure_attacks import ATTACKS
from launch import postgres
from tests.sql.access_place import Place, people

_OTHER = {"analyst": "listener", "operator": "artist", "listener": "other", "artist": "analyst"}


@pytest.fixture(scope="module")
def place(embedded_server: postgres.Server, migrated_template: str) -> Iterator[Place]:
    with people(embedded_server, migrated_template) as place:
        place.as_loader("update warehouse.dim_playlist set owner_id = 'account-' || owner_id where playlist_key > 2")
        place.as_loader("analyze")
        yield place


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_shows_nothing_that_is_hidden(place: Place, attack) -> None:  # type: ignore[no-untyped-def]
    for role in attack.roles:
        other = _OTHER[role]
        admin_url = place.server.build_url("postgres", place.database)
        scene = AttackContext(place.url, admin_url, role, place.url_of(role), other, place.url_of(other))
        if attack.prepare is not None:
            attack.prepare(scene)
        names = {"login": f'"{scene.login}"', "other": f'"{scene.other_login}"'}
        statements = [statement.format(**names) for statement in attack.statements]
        scene.outcomes += run_statements(scene.login_url, statements) if statements else []
        assert attack.fault is not None
        assert attack.fault(scene) is None, role


def test_an_attack_that_succeeds_is_seen(place: Place) -> None:
    scene = AttackContext(place.url, place.url, "loader", place.url, "analyst", place.url_of("analyst"))
    seen = {}
    for attack in ATTACKS:
        if (
            attack.prepare is None
            and attack.statements
            and attack.find_violation is not None
            and "{" not in "".join(attack.statements)
        ):
            scene.outcomes = run_statements(place.url, list(attack.statements))
            seen[attack.name] = attack.find_violation(scene) is not None
    assert {"owners of playlists", "a whole row", "sizes of tables", "counters of tables"} <= {
        n for n in seen if seen[n]
    }
    assert sum(seen.values()) > 0.7 * len(seen)
