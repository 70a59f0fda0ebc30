"""Users whose data was erased while messages about them may still be in Kafka.

    <lake>/landing/forgotten.json    the SHA-256 of each user id, and when the user was forgotten

Messages cannot be removed from a topic before its retention ends. So landing skips the messages that Kafka received
before the user was forgotten, and removes the hash once Kafka has removed the last of these messages.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime

from etl.storage.folder import LakeFolder

_DOCUMENT = "forgotten.json"


def hash_user_id(user_id: str) -> str:
    """Return the hash by which a forgotten user is recorded."""
    return hashlib.sha256(user_id.encode("utf-8", "replace")).hexdigest()


class ForgottenUsers(LakeFolder):
    """The forgotten users of the lake."""

    def __init__(self, lake_url: str) -> None:
        super().__init__(f"{lake_url}/landing")

    def read_times(self) -> dict[str, datetime]:
        """Return when each user was forgotten, by ``hash_user_id``."""
        self._filesystem.invalidate_cache(self._root)  # another process writes the document
        try:
            document = self._read_json(f"{self._root}/{_DOCUMENT}")
        except FileNotFoundError:
            return {}
        return {user_hash: datetime.fromisoformat(time) for user_hash, time in document.items()}

    def record_users(self, user_ids: Collection[str], forgotten_at: datetime) -> None:
        """Record that users are forgotten; a time recorded before is replaced."""
        self._write_times(self.read_times() | dict.fromkeys(map(hash_user_id, user_ids), forgotten_at))

    def drop_users(self, forgotten_before: datetime) -> int:
        """Remove the hashes of users who were forgotten before a time, and return their number."""
        times = self.read_times()
        remaining = {user_hash: time for user_hash, time in times.items() if time >= forgotten_before}
        if len(remaining) < len(times):
            self._write_times(remaining)
        return len(times) - len(remaining)

    def _write_times(self, times: dict[str, datetime]) -> None:
        document = {user_hash: time.isoformat() for user_hash, time in sorted(times.items())}
        self._write_json(f"{self._root}/{_DOCUMENT}", document, is_durable=True)
