"""The task that writes the seed data of the mock Spotify API."""

import json
import logging

from etl.engines.spark import open_session, options_for_size
from etl.extract.spotify.app import get_app
from etl.extract.spotify.sign_in import sign_in_unattended
from etl.formats.contracts import ARTIST_ROW, TRACK_ROW
from etl.jobs.catalogue.inputs import parse_files, union_accepted
from etl.jobs.fetch_outcomes import open_accounts
from etl.jobs.refresh_plan import list_current_inputs
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk
from etl.storage.lake import Lake
from simulator.mock_api.playlists import make_account
from simulator.mock_api.seed_data import get_seed_data_path, write_seed_data

log = logging.getLogger(__name__)

MOCK_API_SEED = 1
MOCK_ACCOUNT_COUNT = 2


@report_full_disk
def seed_mock_api(settings: Settings) -> int:
    """Write the tracks and playlists of the lake's Kaggle files as seed data, and sign the mock API's accounts in.

    :returns: the number of accounts; 0 if Spotify's own API is configured.
    """
    if not settings.is_mock_api:
        return 0
    lake, path = Lake(settings.lake_url), get_seed_data_path(settings.state_dir)
    inputs = list_current_inputs(lake)
    manifest_path = path.with_name("inputs.json")
    served_inputs = json.dumps([received_input.input_id for received_input in inputs])
    # The comparison is by text: a file that a killed run left incomplete differs, too.
    if not path.exists() or not manifest_path.exists() or manifest_path.read_text(encoding="utf-8") != served_inputs:
        options = options_for_size(sum(received_input.size_bytes for received_input in inputs))
        with open_session(settings, "seed_mock_api", options) as spark:
            parsed = parse_files(spark, inputs)
            tracks = union_accepted(spark, parsed["track"], TRACK_ROW).toPandas()
            artists = union_accepted(spark, parsed["artist"], ARTIST_ROW).toPandas()
        write_seed_data(tracks, artists, path, MOCK_API_SEED, account_count=MOCK_ACCOUNT_COUNT)
        manifest_path.write_text(served_inputs, encoding="utf-8")
        log.info("The mock Spotify API serves %d tracks.", tracks["track_id"].nunique())
    app, accounts = get_app(settings), open_accounts(settings)
    for account_index in range(MOCK_ACCOUNT_COUNT):
        name = make_account(account_index, MOCK_API_SEED).name
        if name not in accounts.get_names():
            sign_in_unattended(app, name, accounts)
    return MOCK_ACCOUNT_COUNT
