"""A stand-in for the Spotify Web API: a real HTTP server on loopback, for a start without credentials and for tests.

In: a stock (one SQLite file that ``write_stock`` makes of the catalogue's rows) and a scenario (a TOML file).
Out: the answers that Spotify's API would give in either quota mode, with the faults that the scenario asks for.

    catalogue   rows of the catalogue as tracks, albums and artists; what Spotify knows beyond them is made up
    further     further ids of known recordings, and other recordings of nearly the same name
    playlists   who owns and follows which playlist, and what is on it
    stock       the SQLite file: written in one go, read by the server
    scenario    the TOML file: what changes from night to night, and what goes wrong
    night       the state of one night, a pure function of stock, scenario and night
    promised, shapes   what each object of the API has, by mode; the objects themselves
    pages       the API's endpoints
    tokens, accounts   signed tokens; the accounts service that gives them out
    faults      the middleware that makes things go wrong
    titles      titles made comparable, for further ids of nearly the same name
    errors      refusals as the API words them
    connection  a connection that the application can break off
    control     the endpoints for tests and scoring
    server      all of it as one application

docs/stand_in.md says what is made up and how a scenario is written.
"""

from simulator.mock_api.seed_data import write_seed_data

__all__ = ["write_seed_data"]
