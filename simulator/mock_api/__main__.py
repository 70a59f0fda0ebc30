"""python -m simulator.mock_api: serve the mock Spotify API until it is stopped, on loopback unless told otherwise."""

import argparse
import sys
from pathlib import Path
from typing import get_args

import uvicorn

from etl.errors import ActionNeededError
from simulator.mock_api.abortable_connection import AbortableConnection
from simulator.mock_api.scenario import QuotaMode, read_scenario
from simulator.mock_api.server import MockApiState, create_app


def main(arguments: list[str]) -> int:
    """Serve until the process is stopped.

    :returns: 0 after a requested stop, 1 if the scenario is not readable or the server cannot start.
    """
    try:
        server = make_server(arguments)
    except ActionNeededError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    server.run()
    return int(not server.started)


def make_server(arguments: list[str]) -> uvicorn.Server:
    """Return the server that the arguments of the command line describe.

    :raises ActionNeededError: if the scenario is not readable.
    """
    parser = argparse.ArgumentParser(prog="python -m simulator.mock_api", description=__doc__)
    parser.add_argument("--stock", type=Path, required=True, help="the SQLite file that is served; it may come later")
    parser.add_argument("--state", type=Path, required=True, help="the folder for the token key and the simulated day")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--scenario", type=Path, help="a TOML file: what changes and what goes wrong")
    parser.add_argument("--mode", choices=get_args(QuotaMode), help="wins over the scenario's mode")
    options = parser.parse_args(arguments)
    scenario = read_scenario(options.scenario)
    mock_api = MockApiState(options.stock, options.state, scenario, options.mode or scenario.mode)
    # No access log: the URLs of the accounts service contain codes.
    config = uvicorn.Config(
        create_app(mock_api),
        host=options.host,
        port=options.port,
        http=AbortableConnection,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
