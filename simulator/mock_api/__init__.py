"""A mock of the Spotify Web API: an HTTP server on loopback, for a start without credentials and for tests.

In: seed data (one SQLite file that ``write_seed_data`` makes of the catalogue's rows) and a scenario (a TOML file).
Out: the responses of Spotify's API in either quota mode, with the faults that the scenario asks for.

    catalogue             tracks, albums and artists
    catalogue_builder     rows of the catalogue as these
    catalogue_rows        rows merged into tracks and artists
    recordings            recordings, and the ISRC of each
    alternative_tracks    alternative ids of known recordings, and recordings of nearly the same name
    accounts              accounts, playlists and libraries
    playlists             the owners, followers and items of playlists
    seed_data             the SQLite file: written at once, read by the server
    scenario              the TOML file: the changes and the faults of each simulated day
    changes               the changes since the first simulated day
    simulated_day         the state of one day, a pure function of seed data, scenario and day
    object_fields         the fields of each API object, by mode
    api_objects           the API objects
    unusual_items         local files and episodes
    api_request           a request with its checked parameters
    endpoints             the API's endpoints
    reccobeats            the endpoint of ReccoBeats, a service for audio features
    tokens                signed tokens
    accounts_service      sign-in, and the tokens that an app gets
    fault_injection       the middleware that injects faults
    titles                titles made comparable, for alternative ids of nearly the same name
    hashed_ids            ids and choices drawn by hash
    errors                error responses in the API's words
    abortable_connection  a connection that the application can abort
    control               the endpoints for tests and scoring
    server                all of it as one application

docs/mock_api.md describes the synthetic data and the format of a scenario.
"""

from simulator.mock_api.seed_data import write_seed_data

__all__ = ["write_seed_data"]
