"""A listener's taste in words on the page Wrapped, by the rules and by a language model, and any period."""

from collections.abc import Iterator
from datetime import date
from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.page import escape_markdown
from etl.database import connect, fetch_rows
from etl.load.access.logins import add_login
from etl.load.migrate import migrate_warehouse
from etl.taste_text.figures import parse_figures
from etl.taste_text.profile import write_profile
from launch import postgres
from tests.conftest import copy_database, run_as_superuser
from tests.marts.listening import fill_dimensions, insert_events, make_events, rebuild
from tests.taste_text.test_language_model import Endpoint

Login = tuple[str, str, str]


@pytest.fixture(scope="module")
def login(embedded_server: postgres.Server, migrated_template: str) -> Iterator[Login]:
    """Yield warehouse, name and password of a listener."""
    name = f"listener_{uuid4().hex[:8]}"
    with copy_database(embedded_server, migrated_template) as url:
        migrate_warehouse(url)  # privileges on a database are not copied with it
        with connect(url) as connection:
            fill_dimensions(connection)
            insert_events(connection, make_events(3, size=400))
        rebuild(url)
        admin = embedded_server.build_url("postgres", url.rsplit("/", 1)[1])
        yield url, name, add_login(admin, "listener", name, "u1")
    run_as_superuser(embedded_server, f"drop role {name}")


@pytest.fixture(scope="module")
def rules_text(login: Login) -> str:
    with connect(login[0]) as connection:
        (row,) = fetch_rows(connection, "select * from mart.taste_figures('u1', 2026)")
    return write_profile(parse_figures(row, 2026), "u1").text


def test_a_listener_reads_the_text_by_the_rules(login: Login, rules_text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TASTE_TEXT_URL", raising=False)
    app = AppTest.from_function(_draw_page, args=login).run(timeout=300)
    assert not app.exception and not app.error
    assert escape_markdown(rules_text) in [element.value for element in app.markdown]
    assert "Your taste in words" in [element.value for element in app.subheader]
    assert not app.button


def test_a_language_model_writes_it_when_asked(login: Login, rules_text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint()
    try:
        monkeypatch.setenv("TASTE_TEXT_URL", endpoint.model.url)
        app = AppTest.from_function(_draw_page, args=login).run(timeout=300)
        assert not endpoint.requests, "nothing is sent before the button is pressed"
        endpoint.respond = lambda handler: endpoint.send(handler, "Music of a whole year.")
        app.button[0].click().run(timeout=300)
        assert "Music of a whole year\\." in [element.value for element in app.markdown]
        assert "u1" not in str(endpoint.requests[0][2]) and len(endpoint.requests) == 1
        app.run(timeout=300)
        assert len(endpoint.requests) == 1, "the text is remembered for the session"
    finally:
        endpoint.server.shutdown()
        endpoint.server.server_close()


def test_without_a_usable_text_the_rules_write_it(
    login: Login, rules_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASTE_TEXT_URL", "http://127.0.0.1:9")
    app = AppTest.from_function(_draw_page, args=login).run(timeout=300)
    app.button[0].click().run(timeout=300)
    assert escape_markdown(rules_text) in [element.value for element in app.markdown]
    assert any("by the rules" in element.value for element in app.caption)


def test_a_listener_compares_any_period(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TASTE_TEXT_URL", raising=False)
    app = AppTest.from_function(_draw_page, args=login).run(timeout=300)
    app.button_group[0].set_value(-1).run(timeout=300)
    app.selectbox[0].set_value("Last 6 months").run(timeout=300)
    assert not app.exception and not app.error
    shown = {metric.label: metric.value for metric in app.metric}
    with connect(login[0]) as connection:
        (row,) = fetch_rows(connection, "select * from mart.period_figures('u1', '2025-12-27', '2026-02-10')")
    assert shown["Plays"] == f"{row['plays']:,}" != "0" and shown["New artists"] == f"{row['artists']:,}"
    assert [element.value for element in app.subheader] == [
        *("Songs", "Artists", "Albums", "Genres", "Podcasts and audiobooks"),
    ]
    app.selectbox[1].set_value("Chosen dates").run(timeout=300)
    app.date_input[0].set_value((date(2020, 1, 1), date(2020, 1, 31))).run(timeout=300)
    assert any("compared with 1 January to 31 January 2020" in element.value for element in app.markdown)


def _draw_page(url: str, name: str, password: str) -> None:
    from dashboard.warehouse_reader import sign_in
    from dashboard.wrapped import PAGE

    PAGE.make_drawer(sign_in(url, name, password))()
