"""The lake under one URL, which fsspec and Spark both reach."""

from datetime import datetime

from etl.storage.catalogue_states import CatalogueStates
from etl.storage.checkpoints import Checkpoints
from etl.storage.folder import LakeFolder
from etl.storage.inputs import ReceivedInputs
from etl.storage.latest_state import LatestState


class Lake:
    """Received inputs, run checkpoints, the latest API state and the catalogue's, each in folders of its own.

    LAKE_URL/<origin>/<input_id>/          received inputs
    LAKE_URL/runs/<run_id>/                checkpoints; maintenance sweeps them
    LAKE_URL/memory/<run_id>/<frame>/      latest API state as of a run; can be rebuilt from the inputs
    LAKE_URL/catalogue/                    parsed inputs and states of the catalogue; can be rebuilt from the inputs
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.inputs = ReceivedInputs(self.url)
        self.checkpoints = Checkpoints(f"{self.url}/runs")
        self.latest_state = LatestState(f"{self.url}/memory")
        self.catalogue_states = CatalogueStates(f"{self.url}/catalogue")

    def sweep_drafts(self, before: datetime) -> int:
        """Remove files last written before a time that were begun and not finished, such as by a killed import.

        :returns: the number of files removed.
        """
        return LakeFolder(self.url).sweep_drafts(before)
