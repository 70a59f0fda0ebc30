"""The step that gives the stand-in for Spotify's API what it serves."""

import json
import logging

from etl.config import Settings
from etl.extract.spotify.app import app_of
from etl.extract.spotify.sign_in import sign_in_unattended
from etl.full_disk import explains_full_disk
from etl.jobs.refresh import current_inputs, parse_files, union
from etl.jobs.spotify import accounts_of
from etl.lake import Lake
from etl.schemas import ARTIST_ROW, TRACK_ROW
from etl.simulate.spotify_api.playlists import account
from etl.simulate.spotify_api.stock import stock_path, write_stock
from etl.spark import session

log = logging.getLogger(__name__)

SEED = 1
ACCOUNTS = 2


@explains_full_disk
def stock_stand_in(settings: Settings) -> int:
    """Give the stand-in the tracks and playlists of the lake's Kaggle files, and sign its accounts in.

    :returns: how many accounts it has; 0 where Spotify itself is asked.
    """
    if not settings.is_stand_in:
        return 0
    lake, path = Lake(settings.lake_url), stock_path(settings.state_dir)
    inputs = current_inputs(lake)
    note = path.with_name("inputs.json")
    served = json.dumps([one.input_id for one in inputs])
    # Compared as text: a note that a killed run has left half is another one.
    if not path.exists() or not note.exists() or note.read_text(encoding="utf-8") != served:
        with session(settings, "stock_stand_in") as spark:
            parsed = parse_files(spark, inputs)
            tracks = union(spark, parsed["track"], TRACK_ROW).toPandas()
            artists = union(spark, parsed["artist"], ARTIST_ROW).toPandas()
        write_stock(tracks, artists, path, SEED, account_count=ACCOUNTS)
        note.write_text(served, encoding="utf-8")
        log.info("The stand-in for Spotify's API serves %d tracks.", tracks["track_id"].nunique())
    app, accounts = app_of(settings), accounts_of(settings)
    for place in range(ACCOUNTS):
        name = account(place, SEED).name
        if name not in accounts.names():
            sign_in_unattended(app, name, accounts)
    return ACCOUNTS
