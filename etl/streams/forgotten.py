"""Messages of users who were forgotten after Kafka had received them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from etl.formats.kaggle.column_rules import BLANKS
from etl.storage.forgotten_users import hash_user_id
from etl.streams.messages import RegistryAddress, decode_messages


def find_forgotten_messages(
    messages: pa.Table,
    keys: Sequence[bytes | None],
    forgotten: Mapping[str, datetime],
    registry: RegistryAddress | None = None,
) -> npt.NDArray[np.bool_]:
    """Return for each message whether its user was forgotten after Kafka had received it.

    The user is that of the value, or of the key if the value cannot be decoded.

    :param messages: the columns of ``messages.MESSAGE_SCHEMA``.
    :param keys: of the messages.
    :param forgotten: when users were forgotten, by ``hash_user_id``.
    """
    decoded = decode_messages(messages, ("userId",), registry)
    is_decoded = decoded.reasons.is_null().to_numpy(zero_copy_only=False)
    user_ids = np.array([(key or b"").decode("utf-8", "replace") for key in keys], object)
    user_ids[is_decoded] = [user_id or "" for user_id in decoded.rows["userId"].to_pylist()]
    time_by_user = {user_id: forgotten.get(hash_user_id(user_id.strip(BLANKS))) for user_id in set(user_ids)}
    received_at = messages["timestamp"].to_pylist()
    return np.array(
        [
            (time := time_by_user[user_id]) is not None and received <= time
            for user_id, received in zip(user_ids, received_at, strict=True)
        ],
        np.bool_,
    )
