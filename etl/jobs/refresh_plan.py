"""The first step of a refresh of the catalogue: which inputs it has.

It is a module of its own because most runs end here, and the other steps load much that it does not need.
"""

import logging
from dataclasses import asdict
from datetime import UTC, date, datetime

from etl import database
from etl.formats.feature_providers import ORIGIN as FEATURE_ORIGIN
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

log = logging.getLogger(__name__)


@report_full_disk
def plan_refresh(run_id: str, job: str, reference_date: date, is_forced: bool, settings: Settings) -> bool:
    """Choose the inputs of a run, and store the plan for the next steps.

    :param reference_date: the day of the run.
    :param is_forced: whether to reconcile all rows of the current inputs, even if none is new.
    :returns: whether there is something to do.
    """
    started_at = datetime.now(UTC)
    lake = Lake(settings.lake_url)
    file_inputs = list_current_inputs(lake)
    with database.connect(settings.warehouse_url) as connection:
        published_until = database.get_last_published_at(connection)
        published = database.list_published_input_ids(connection)
        state_run_id = database.get_latest_state_run_id(connection)
        catalogue_state_id = database.get_latest_catalogue_state_id(connection)
        if state_run_id and not lake.latest_state.has_frames(state_run_id):
            log.warning(
                "The latest API state of run %s is missing: it is rebuilt from all API responses.", state_run_id
            )
            state_run_id = None
        api_inputs = [
            received_input
            for received_input in lake.inputs.find_inputs(["api", FEATURE_ORIGIN])
            if state_run_id is None or received_input.input_id not in published
        ]
        planned_inputs = [*file_inputs, *api_inputs]
        new_inputs = [received_input for received_input in planned_inputs if received_input.input_id not in published]
        has_aged = database.has_release_after_bounds(connection, reference_date)
        decisions, has_new_decisions = database.list_match_decisions(connection)
        has_catalogue = bool(planned_inputs) or state_run_id is not None
        if not has_catalogue or not (new_inputs or has_aged or has_new_decisions or is_forced):
            database.record_nothing_new(connection, run_id, job, started_at)
            return False
    plan_document = {
        "job": job,
        "started_at": started_at.isoformat(),
        "reference_date": reference_date.isoformat(),
        "inputs": [asdict(received_input) for received_input in planned_inputs],
        "decisions": decisions,
        "memory_run_id": state_run_id,
        "published_until": published_until.isoformat(),
        "catalogue_state_id": catalogue_state_id,
        "is_forced": is_forced,
    }
    lake.checkpoints.write_document(run_id, "plan", plan_document)
    log.info(
        "%d inputs, %d of them new: %s",
        len(planned_inputs),
        len(new_inputs),
        ", ".join(received_input.name for received_input in new_inputs) or "none",
    )
    return True


def list_current_inputs(lake: Lake) -> list[ReceivedInput]:
    """Return the newest version of each Kaggle file, by format and name; without any, the synthetic catalogue's."""
    newest_inputs = {
        (received_input.format, received_input.name): received_input
        for received_input in lake.inputs.find_inputs(["kaggle"]) or lake.inputs.find_inputs(["made_up"])
    }
    return sorted(newest_inputs.values(), key=lambda received_input: received_input.input_id)
