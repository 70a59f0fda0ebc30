"""The lake without a person: inputs that tell of nobody else go whole, others keep their id and lose some records.

Counts in the audit stay as they were when an input was loaded; the lake's notes count what an input holds now, so that
it can be loaded anew.
"""

import json
import logging
from typing import Any

from etl.erasure.api_responses import (
    count_resources_in_lines,
    filter_audio_features,
    find_identifiers,
    find_track_ids,
    remove_data_subject,
)
from etl.erasure.data_subject import DataSubject
from etl.extract.spotify.responses import ACCOUNT_FETCH_KINDS, build_fetch_name, compress_lines, read_lines
from etl.storage.inputs import Lake, ReceivedInput

log = logging.getLogger(__name__)


def collect_identifiers(lake: Lake, data_subject: DataSubject) -> DataSubject:
    """The person with all that the lake's answers call them, and the inputs that tell of nobody else."""
    api_inputs = lake.find_inputs(["api"])
    for is_last in (False, True):  # a profile in a late answer says whose the earlier ones are
        for api_input in api_inputs:
            data_subject = find_identifiers(read_lines(lake, api_input), data_subject)
            if is_last and not _has_remaining_lines(lake, api_input, data_subject):
                data_subject = data_subject.add_identifiers(inputs={api_input.input_id})
    exports = {
        export.input_id
        for export in lake.find_inputs(["account_export"])
        if _get_export_owner(lake, export) in data_subject.user_ids
    }
    return data_subject.add_identifiers(inputs=exports)


def drop_exports(lake: Lake, data_subject: DataSubject) -> int:
    """Remove the person's account exports.

    :returns: how many there were.
    """
    own_exports = [export for export in lake.find_inputs(["account_export"]) if export.input_id in data_subject.inputs]
    for export in own_exports:
        lake.drop_input(export)
    return len(own_exports)


def erase_from_responses(lake: Lake, data_subject: DataSubject) -> tuple[int, int]:
    """Take the person out of the API's answers, and with them out of what is remembered of all answers.

    :returns: how many inputs went whole, how many were written anew.
    """
    dropped_count = changed_count = 0
    api_inputs = lake.find_inputs(["api"])
    remaining_tracks = set().union(
        *(find_track_ids(remove_data_subject(read_lines(lake, api_input), data_subject)) for api_input in api_inputs)
    )
    for api_input in api_inputs:
        lines = list(read_lines(lake, api_input))
        remaining_lines = list(remove_data_subject(lines, data_subject))
        if data_subject.accounts:
            remaining_lines = list(filter_audio_features(remaining_lines, remaining_tracks))
        if not remaining_lines:
            lake.drop_input(api_input)
            dropped_count += 1
        elif remaining_lines != lines or count_resources_in_lines(remaining_lines) != api_input.row_count:
            lake.replace_input(api_input, compress_lines(remaining_lines), count_resources_in_lines(remaining_lines))
            changed_count += 1
    if data_subject.accounts or dropped_count or changed_count:
        lake.drop_latest_states([])  # the next refresh makes one of the answers that are left
    return dropped_count, changed_count


def drop_fetch_checkpoints(lake: Lake, data_subject: DataSubject) -> None:
    """Remove what fetches in progress keep for the person, or of them."""
    own_fetches = {
        build_fetch_name(fetch_kind, name) for fetch_kind in ACCOUNT_FETCH_KINDS for name in data_subject.accounts
    }
    for run_id in lake.find_run_ids():
        for fetch_name in lake.find_checkpoint_folders(run_id, "answers"):
            checkpoint_folder = f"answers/{fetch_name}"
            names = lake.find_checkpoint_names(run_id, checkpoint_folder)
            lines = (json.loads(lake.read_bytes(run_id, f"{checkpoint_folder}/{name}") or b"null") for name in names)
            stored_lines = [line for line in lines if line]
            if fetch_name in own_fetches or list(remove_data_subject(stored_lines, data_subject)) != stored_lines:
                lake.drop_checkpoint_folder(run_id, checkpoint_folder)


def drop_run_frames(lake: Lake) -> None:
    """Remove what steps of runs have left for the next ones: a run in progress has to begin anew."""
    for run_id in lake.find_run_ids():
        lake.drop_frames_and_documents(run_id)


def _has_remaining_lines(lake: Lake, received: ReceivedInput, data_subject: DataSubject) -> bool:
    return next(remove_data_subject(read_lines(lake, received), data_subject), None) is not None


def _get_export_owner(lake: Lake, received: ReceivedInput) -> str | None:
    """Whose plays an export holds."""
    first_line: dict[str, Any] = next(read_lines(lake, received), {})
    return first_line.get("user_id")
