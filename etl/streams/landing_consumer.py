"""The consumer of a landing process.

It starts from what is landed, never from the offsets of its group: these only show the lag, and which dead letters are
sent.
"""

import logging
from collections.abc import Collection
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from etl.errors import ActionNeededError, EtlError, TryAgainError
from etl.settings import KafkaSettings, LandingSettings
from etl.storage.landed_files import LandedTopic
from etl.storage.offset_ranges import OffsetRange
from etl.streams.clients import REQUEST_SECONDS, ErrorLog, build_client_options
from etl.streams.topics import format_topic_id

log = logging.getLogger(__name__)

_QUEUE_KIB = 65_536
"""The most that the client fetches ahead."""


class StartAgainError(TryAgainError):
    """The messages that are read and not landed no longer belong to this process: read them again."""


class OffsetsDeletedError(StartAgainError):
    """Kafka has deleted messages that were not read; those that were read are still to be landed."""


class LandingConsumer:
    """A consumer of the topic of events.

    ``positions`` has the offset that follows the landed ones, for each partition of this process. ``assignment_count``
    grows each time the partitions change.
    """

    def __init__(self, kafka: KafkaSettings, landing: LandingSettings, landed: LandedTopic) -> None:
        self.positions: dict[int, int] = {}
        self.assignment_count = 0
        self._kafka = kafka
        self._landed = landed
        self._errors = ErrorLog()
        self._end_offsets: dict[int, int] = {}
        self._callback_error: Exception | None = None
        options = build_client_options(kafka, self._errors)
        self._admin = AdminClient(options)
        self._consumer = Consumer(
            {
                **options,
                "group.id": kafka.landing_group,
                # A static member gets its partitions back at once when its process starts again.
                "group.instance.id": f"{kafka.landing_group}.{landing.instance_id}",
                "session.timeout.ms": landing.session_seconds * 1000,
                "heartbeat.interval.ms": landing.session_seconds * 1000 // 3,
                "enable.auto.commit": False,
                "auto.offset.reset": "error",  # A reset would skip messages in silence.
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "queued.max.messages.kbytes": _QUEUE_KIB,
            }
        )
        self._consumer.subscribe(
            [kafka.topic],
            on_assign=self._take_partitions,
            on_revoke=self._drop_partitions,
            on_lost=self._drop_partitions,
        )

    def consume(self, limit: int, seconds: float) -> list[Message]:
        """Return up to ``limit`` messages that arrive within a time.

        :raises StartAgainError: if the messages that are read and not landed must be read again.
        :raises ActionNeededError: if Kafka refuses the user, or another process uses the instance id.
        """
        assignment_count = self.assignment_count
        try:
            messages = self._consumer.consume(limit, seconds)
        except KafkaException as error:
            raise self._explain(error.args[0]) from error
        if self._callback_error is not None:
            raise self._callback_error
        if self._errors.last is not None:
            self._raise_permanent_error()
        if messages and self.assignment_count != assignment_count:
            # Some may be of the former assignment, behind messages that this process has dropped. Read all again.
            if self.positions:
                self._assign_positions()
            return []
        valid_messages = [message for message in messages if message.error() is None]
        if len(valid_messages) < len(messages):
            for message in messages:
                self._handle_error(message)
        return valid_messages

    def check_topic(self) -> None:
        """Check that the topic is still the one whose messages were read.

        :raises StartAgainError: if it was deleted and created again: its offsets begin again.
        """
        try:
            future = self._admin.describe_topics(TopicCollection([self._kafka.topic]), request_timeout=REQUEST_SECONDS)
            topic_id = format_topic_id(future[self._kafka.topic].result(REQUEST_SECONDS).topic_id)
        except KafkaException as error:
            raise self._explain(error.args[0]) from error
        except TimeoutError as error:
            raise self._errors.explain_timeout(self._kafka) from error
        if topic_id != self._landed.topic_id:
            raise StartAgainError(
                f"The topic {self._kafka.topic} was deleted and created again. Messages that Kafka deleted with it and"
                " that are not in a landed file are lost."
            )

    def commit(self, positions: dict[int, int]) -> None:
        """Commit the offsets of the group.

        :raises StartAgainError: if this process has lost its partitions.
        """
        try:
            self._consumer.commit(offsets=self.list_offsets(positions), asynchronous=False)
        except KafkaException as error:
            raise StartAgainError(f"Another process has taken the partitions ({error.args[0].str()}).") from error

    def fetch_committed(self) -> dict[int, int]:
        """Return the committed offset of each partition of this process; 0 for none."""
        partitions = [TopicPartition(self._kafka.topic, partition) for partition in self.positions]
        try:
            committed = self._consumer.committed(partitions, REQUEST_SECONDS)
        except KafkaException as error:
            raise self._explain(error.args[0]) from error
        for partition in committed:
            if partition.error is not None:
                raise self._explain(partition.error)
        return {partition.partition: max(partition.offset, 0) for partition in committed}

    def list_offsets(self, positions: dict[int, int]) -> list[TopicPartition]:
        """Return positions as the client expects them."""
        return [TopicPartition(self._kafka.topic, partition, position) for partition, position in positions.items()]

    def get_group_metadata(self) -> Any:
        """Return what identifies this consumer within its group."""
        return self._consumer.consumer_group_metadata()

    def measure_lag(self, buffered_partitions: Collection[int]) -> dict[int, int]:
        """Return the number of offsets that are not landed, by partition, as of the last fetch.

        :param buffered_partitions: those that have messages which are read and not landed.
        """
        lag = {}
        for partition, position in self.positions.items():
            _, high = self._consumer.get_watermark_offsets(TopicPartition(self._kafka.topic, partition), cached=True)
            # Behind the last message, only the marks of transactions follow.
            is_landed = self._end_offsets.get(partition, -1) >= high and partition not in buffered_partitions
            lag[partition] = 0 if is_landed else max(0, high - position)
        return lag

    def close(self) -> None:
        """Leave Kafka; the partitions stay with this instance until its session ends."""
        self._consumer.close()

    def _take_partitions(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """Begin each partition where the landed files end."""
        try:
            self.positions = {partition.partition: self._find_start(partition.partition) for partition in partitions}
            self.assignment_count += 1
            self._assign_positions()
        except Exception as error:  # An exception would not pass through the client as it is.
            self._callback_error = error
            return
        log.info(
            "Landing partitions of %s from: %s.",
            self._kafka.topic,
            ", ".join(f"{partition}: {position}" for partition, position in sorted(self.positions.items())) or "none",
        )

    def _assign_positions(self) -> None:
        """Let the client read from the positions; what it has fetched before is dropped."""
        try:
            self._consumer.assign(self.list_offsets(self.positions))
        except KafkaException as error:
            raise self._explain(error.args[0]) from error

    def _drop_partitions(self, _: Consumer, __: list[TopicPartition]) -> None:
        # Messages that are not landed yet are read again by the partitions' next owner.
        self.positions, self._end_offsets = {}, {}
        self.assignment_count += 1

    def _find_start(self, partition: int) -> int:
        position = self._landed.find_position(partition) or 0
        try:
            low, high = self._consumer.get_watermark_offsets(
                TopicPartition(self._kafka.topic, partition), REQUEST_SECONDS
            )
        except KafkaException as error:
            raise self._explain(error.args[0]) from error
        if position < low:  # An offset above 0 is the first one only if Kafka has deleted those before.
            gap = OffsetRange(partition, position, low)
            self._landed.write_gap(gap)
            log.error(
                "Kafka has deleted %d offsets of partition %d (from %d to %d) before they were landed: their events are"
                " missing. Extend the retention of %s, or run landing without long pauses.",
                *(low - position, partition, position, low - 1, self._kafka.topic),
            )
            return int(low)
        if position > high:
            raise ActionNeededError(
                f"Partition {partition} of {self._kafka.topic} ends at offset {high}, and {position} is landed: Kafka"
                " has lost messages, such as by a power loss or a restore. Delete the topic and start bin/run --streams"
                " again, which creates it; what is landed stays."
            )
        return position

    def _handle_error(self, message: Message) -> None:
        error = message.error()
        if error is None:
            return
        if error.code() == KafkaError._PARTITION_EOF:
            self._end_offsets[message.partition() or 0] = message.offset() or 0
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise OffsetsDeletedError(f"Kafka has deleted messages of partition {message.partition()} before landing.")
        elif error.fatal() or error.code() == KafkaError._MAX_POLL_EXCEEDED:
            raise self._explain(error)
        else:
            self._errors.record(error)
            self._raise_permanent_error()

    def _raise_permanent_error(self) -> None:
        """Raise an error for one that the client has reported in the background, if it cannot go away by itself."""
        last_error = self._errors.last
        if last_error is not None:
            explanation = self._explain(last_error)
            if isinstance(explanation, (ActionNeededError, StartAgainError)):
                raise explanation

    def _explain(self, error: KafkaError) -> EtlError:
        # The client reports a fatal error under a code of its own, with the cause in its text.
        if error.code() == KafkaError.FENCED_INSTANCE_ID or "group.instance.id" in error.str():
            return ActionNeededError(
                "Another landing process with the same LANDING_INSTANCE has started. Stop one of them, or give each a"
                " LANDING_INSTANCE of its own."
            )
        if error.code() == KafkaError._FATAL:
            return StartAgainError(f"The connection to Kafka has to be made again ({error.str()}).")
        if error.code() == KafkaError._MAX_POLL_EXCEEDED:
            return StartAgainError("This process was busy or suspended for too long and has lost its partitions.")
        return self._errors.explain(error, self._kafka)
