"""The lake without a data subject.

Inputs that have only the data subject's records are removed. All other inputs lose the data subject's records, and
their ids do not change. The counts in the audit stay as they were when an input was loaded. The manifests have the new
counts, so that the inputs can be loaded again.
"""

import json
from collections.abc import Collection
from typing import Any

from etl.erasure.api_responses import filter_audio_features, find_identifiers, find_track_ids, remove_data_subject
from etl.erasure.data_subject import DataSubject
from etl.formats.api_responses import ORIGIN, compress_lines, count_resources_in_lines
from etl.storage.checkpoints import RESPONSE_FOLDER
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

_EXPORT_ORIGIN = "account_export"


def collect_identifiers(lake: Lake, data_subject: DataSubject) -> DataSubject:
    """Return the data subject with all identifiers in the lake's API responses, and with their own inputs."""
    api_inputs = lake.inputs.find_inputs([ORIGIN])
    # Two passes: a profile in a later response can show which user earlier responses belong to.
    for is_last in (False, True):
        for api_input in api_inputs:
            data_subject = find_identifiers(lake.inputs.read_lines(api_input), data_subject)
            if is_last and not _has_remaining_lines(lake, api_input, data_subject):
                data_subject = data_subject.add_identifiers(inputs={api_input.input_id})
    exports = {
        export.input_id
        for export in lake.inputs.find_inputs([_EXPORT_ORIGIN])
        if _get_export_owner(lake, export) in data_subject.user_ids
    }
    return data_subject.add_identifiers(inputs=exports)


def drop_exports(lake: Lake, data_subject: DataSubject) -> int:
    """Remove the data subject's account exports.

    :returns: the number of inputs removed.
    """
    exports = lake.inputs.find_inputs([_EXPORT_ORIGIN])
    own_exports = [export for export in exports if export.input_id in data_subject.inputs]
    for export in own_exports:
        lake.inputs.drop_input(export)
    return len(own_exports)


def erase_from_responses(lake: Lake, data_subject: DataSubject) -> tuple[int, int]:
    """Remove the data subject from the API responses, and from the latest API state, which is computed from them.

    :returns: the number of inputs removed, and the number of inputs rewritten.
    """
    dropped_count = changed_count = 0
    api_inputs = lake.inputs.find_inputs([ORIGIN])
    remaining_tracks = set().union(
        *(
            find_track_ids(remove_data_subject(lake.inputs.read_lines(api_input), data_subject))
            for api_input in api_inputs
        )
    )
    for api_input in api_inputs:
        lines = list(lake.inputs.read_lines(api_input))
        remaining_lines = list(remove_data_subject(lines, data_subject))
        if data_subject.accounts:
            remaining_lines = list(filter_audio_features(remaining_lines, remaining_tracks))
        resource_count = count_resources_in_lines(remaining_lines)
        if not remaining_lines:
            lake.inputs.drop_input(api_input)
            dropped_count += 1
        elif remaining_lines != lines or resource_count != api_input.row_count:
            lake.inputs.replace_input(api_input, compress_lines(remaining_lines), resource_count)
            changed_count += 1
    if data_subject.accounts or dropped_count or changed_count:
        # The next refresh rebuilds them from the remaining responses.
        lake.latest_state.drop_outdated([])
        lake.catalogue_states.drop_outdated([])
    return dropped_count, changed_count


def drop_fetch_checkpoints(lake: Lake, data_subject: DataSubject, own_fetches: Collection[str]) -> None:
    """Remove the responses that unfinished fetches stored for the data subject, or that identify them.

    :param own_fetches: the names of the fetches of the data subject's accounts.
    """
    for run_id in lake.checkpoints.find_run_ids():
        for fetch_name in lake.checkpoints.list_names(run_id, RESPONSE_FOLDER):
            folder = f"{RESPONSE_FOLDER}/{fetch_name}"
            contents = [
                lake.checkpoints.read_bytes(run_id, f"{folder}/{name}")
                for name in lake.checkpoints.list_names(run_id, folder)
            ]
            lines = [line for line in (json.loads(content or b"null") for content in contents) if line]
            if fetch_name in own_fetches or list(remove_data_subject(lines, data_subject)) != lines:
                lake.checkpoints.drop_folder(run_id, folder)


def drop_run_frames(lake: Lake) -> None:
    """Remove the frames and documents of all runs; a run in progress has to start again."""
    for run_id in lake.checkpoints.find_run_ids():
        lake.checkpoints.drop_frames_and_documents(run_id)


def _has_remaining_lines(lake: Lake, received: ReceivedInput, data_subject: DataSubject) -> bool:
    return next(remove_data_subject(lake.inputs.read_lines(received), data_subject), None) is not None


def _get_export_owner(lake: Lake, received: ReceivedInput) -> str | None:
    """Return the user id of the listener whose plays an export has."""
    first_line: dict[str, Any] = next(lake.inputs.read_lines(received), {})
    return first_line.get("user_id")
