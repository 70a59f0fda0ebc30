"""Landing: the messages of the topic become files in the lake, each message in one file, rejected ones with a reason.

A process reads messages until a file is due, validates them together, and writes the files of each partition. Then it
sends the rejected ones to the dead-letter topic and commits its offsets. It can be killed between any two of these
steps: the names of the files say what is landed, and the files of dead letters what is to be sent.
"""

import gc
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event

import pyarrow as pa
import pyarrow.compute as pc

from etl.errors import ActionNeededError, EtlError
from etl.settings import Settings
from etl.storage.forgotten_users import ForgottenUsers
from etl.storage.full_disk import build_message, is_full_disk
from etl.storage.landed_files import LandedTopic, list_landed_topics
from etl.storage.offset_ranges import OffsetRange
from etl.storage.store_errors import is_store_error
from etl.streams.dead_letters import DeadLetterSender
from etl.streams.hang_watch import HangWatch
from etl.streams.landing_consumer import LandingConsumer, OffsetsDeletedError
from etl.streams.landing_files import FindReasons, LandingFiles, ValidatedBatch
from etl.streams.landing_progress import LandingProgress
from etl.streams.message_batch import MessageBatch
from etl.streams.messages import RegistryAddress
from etl.streams.topics import TopicDescription, describe_topic

log = logging.getLogger(__name__)

_CONSUME_MESSAGES = 20_000
_CONSUME_SECONDS = 1.0
_MAX_BATCH_BYTES = 256 << 20
"""A batch of this size is landed, however few its messages are: they are validated together, in memory."""
_PROGRESS_SECONDS = 5.0
_STEP_SECONDS = 150.0
"""Longer than any step takes: a batch is validated in seconds."""
_REQUESTS_SECONDS = 60.0
"""Longer than the requests of a step to Kafka take: each has its timeout, and Kafka aborts longer transactions."""
_PAUSE_SECONDS = 2.0
_MAX_PAUSE_SECONDS = 60.0
_RETENTION_MARGIN = timedelta(days=8)
"""How much longer than its retention Kafka may keep a message: it removes whole segments, of a week at most."""


def run_landing(
    settings: Settings, find_reasons: FindReasons, registry: RegistryAddress | None, should_stop: Event
) -> None:
    """Land messages until the event is set; then land those that are read, and return.

    A failure that may pass is reported and tried again, without an end: nothing is lost meanwhile.

    :param find_reasons: validates messages.
    :param registry: as for ``messages.decode_messages``.
    :raises ActionNeededError: if the operator must act first.
    """
    progress = LandingProgress(settings.state_dir / "streams" / "landing.progress", settings.require_kafka().topic)
    watch = HangWatch()
    if registry is not None:
        registry = replace(registry, before_request=partial(watch.expect_within, _STEP_SECONDS))
    with watch.run():
        _land_until_stopped(settings, find_reasons, registry, should_stop, progress, watch)


def _land_until_stopped(
    settings: Settings,
    find_reasons: FindReasons,
    registry: RegistryAddress | None,
    should_stop: Event,
    progress: LandingProgress,
    watch: HangWatch,
) -> None:
    kafka = settings.require_kafka()
    while not should_stop.is_set():
        watch.expect_within(_STEP_SECONDS)
        try:
            topic = describe_topic(kafka, kafka.topic)
            landed = LandedTopic(settings.lake_url, kafka.topic, topic.topic_id)
            _report_other_topics(landed, settings.lake_url)
            forgotten_users = ForgottenUsers(settings.lake_url)
            _drop_forgotten_users(forgotten_users, topic)
            files = LandingFiles(landed, forgotten_users, find_reasons, registry)
            session = LandingSession(settings, landed, files, progress, should_stop, watch)
            try:
                with _collect_garbage_on_request():
                    session.run()
            finally:
                watch.expect_within(_REQUESTS_SECONDS)
                session.close()
        except EtlError as error:
            _report_error(progress, str(error))
            if isinstance(error, ActionNeededError):
                raise
            should_stop.wait(_PAUSE_SECONDS)
        except Exception as error:
            if not is_store_error(error):
                raise
            message = f"The lake cannot be read or written ({settings.lake_url}: {type(error).__name__}: {error})."
            _report_error(progress, build_message(settings) if is_full_disk(error) else message)
            should_stop.wait(_PAUSE_SECONDS)


class LandingSession:
    """A consumer with the messages that it has read and not landed yet."""

    def __init__(
        self,
        settings: Settings,
        landed: LandedTopic,
        files: LandingFiles,
        progress: LandingProgress,
        should_stop: Event,
        watch: HangWatch,
    ) -> None:
        self._settings = settings
        self._kafka = settings.require_kafka()
        self._landed = landed
        self._files = files
        self._progress = progress
        self._should_stop = should_stop
        self._watch = watch
        self._consumer = LandingConsumer(self._kafka, settings.landing, landed)
        self._assignment_count = 0
        self._batch = MessageBatch()
        self._due_at = 0.0
        self._progress_at = 0.0
        self._unsent: list[OffsetRange] = []
        self._committed: dict[int, int] = {}
        self._sender: DeadLetterSender | None = None

    def run(self) -> None:
        """Read and land until the process is to stop.

        :raises EtlError: if reading has to begin again; messages that are not landed are read again.
        """
        while not self._should_stop.is_set():
            self._watch.expect_within(_STEP_SECONDS)
            limit = min(_CONSUME_MESSAGES, self._settings.landing.file_records - len(self._batch))
            seconds = min(_CONSUME_SECONDS, max(0.0, self._due_at - time.monotonic()))
            try:
                messages = self._consumer.consume(limit, seconds if len(self._batch) else _CONSUME_SECONDS)
            except OffsetsDeletedError:
                self._land_batch()
                raise
            if self._consumer.assignment_count != self._assignment_count:
                self._begin_assignment()
            if messages and not len(self._batch):
                self._due_at = time.monotonic() + self._settings.landing.file_seconds
            self._batch.add_messages(messages)
            if self._is_batch_due():
                self._land_batch()
            elif time.monotonic() >= self._progress_at:
                self._consumer.check_topic()  # The client does not notice that a topic is another one.
                self._write_progress()
        self._land_batch()

    def close(self) -> None:
        """Close the connection to Kafka."""
        self._consumer.close()

    def _begin_assignment(self) -> None:
        """Drop the messages of former partitions, and find the dead letters that a former owner did not send."""
        self._assignment_count = self._consumer.assignment_count
        self._progress.last_error = None
        self._batch = MessageBatch()
        self._committed = {}
        self._unsent = [
            offsets
            for partition, position in self._consumer.positions.items()
            for offsets in self._landed.list_dead_letters(partition)
            if offsets.next <= position  # Those of a range that is not landed are written again with it.
        ]
        if self._unsent:
            self._settle()

    def _is_batch_due(self) -> bool:
        is_full = len(self._batch) >= self._settings.landing.file_records or self._batch.size_bytes >= _MAX_BATCH_BYTES
        return is_full or (len(self._batch) > 0 and time.monotonic() >= self._due_at)

    def _land_batch(self) -> None:
        """Write the messages that are read, send the dead letters among them, and commit."""
        if not len(self._batch):
            return
        self._consumer.check_topic()
        validated: ValidatedBatch | None = None
        pause = _PAUSE_SECONDS
        while True:
            self._watch.expect_within(_STEP_SECONDS)
            try:
                validated = validated or self._files.validate_batch(self._batch)  # writes temporary files
                for written in self._files.write_partitions(validated, self._consumer.positions):
                    self._progress.landed_count += written.accepted_count
                    self._progress.rejected_count += written.rejected_count
                    if written.rejected_count:
                        self._unsent.append(written.offsets)
                break
            except OSError as error:
                if not is_full_disk(error):
                    raise
                _report_error(self._progress, build_message(self._settings))
                if self._should_stop.wait(pause):
                    return
                pause = min(2 * pause, _MAX_PAUSE_SECONDS)
        log.info("Landed %d messages, %d of them rejected.", len(self._batch), len(validated.reasons))
        self._batch = MessageBatch()
        gc.collect()
        self._progress.last_error = None
        self._settle()
        self._write_progress()

    def _settle(self) -> None:
        """Send the dead letters of landed ranges, and commit the offsets behind all landed messages."""
        self._watch.expect_within(_REQUESTS_SECONDS)
        positions = {
            partition: position
            for partition, position in self._consumer.positions.items()
            if self._committed.get(partition) != position
        }
        if self._unsent:
            self._send_dead_letters(positions)
        elif positions:
            self._consumer.commit(positions)
        self._committed |= positions

    def _send_dead_letters(self, positions: dict[int, int]) -> None:
        # First the sender: it completes a transaction that a killed process left, which moves the committed offsets.
        sender = self._sender or DeadLetterSender(
            self._kafka, f"{self._kafka.landing_group}.{self._settings.landing.instance_id}"
        )
        self._sender = None
        sent_positions = self._consumer.fetch_committed()
        letters = []
        for offsets in sorted(self._unsent):
            table = self._landed.read_dead_letters(offsets)
            letters.append(table.filter(pc.greater_equal(table["offset"], sent_positions[offsets.partition])))
            sent_positions[offsets.partition] = max(sent_positions[offsets.partition], offsets.next)
        offsets_behind = self._consumer.list_offsets(positions)
        expect = partial(self._watch.expect_within, _REQUESTS_SECONDS)
        sender.send(pa.concat_tables(letters), offsets_behind, self._consumer.get_group_metadata, expect)
        self._sender = sender  # One that has failed is not used again.
        for offsets in self._unsent:
            self._landed.drop_dead_letters(offsets)
        self._unsent = []

    def _write_progress(self) -> None:
        self._progress_at = time.monotonic() + _PROGRESS_SECONDS
        self._progress.topic_id = self._landed.topic_id
        self._progress.positions = self._consumer.positions
        self._progress.lag = self._consumer.measure_lag(set(self._batch.partitions.tolist()))
        with suppress(OSError):  # A full disk is reported where messages are landed.
            self._progress.write()


@contextmanager
def _collect_garbage_on_request() -> Iterator[None]:
    """Let Python search for reference cycles only when ``gc.collect`` is called.

    Messages have no cycles, but every few hundred of them start a search: two thirds of the processor time of reading.
    """
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _report_error(progress: LandingProgress, message: str) -> None:
    log.error("%s", message)
    progress.last_error = message
    with suppress(OSError):
        progress.write()


def _report_other_topics(landed: LandedTopic, lake_url: str) -> None:
    """Report that the topic has another id than before, at its first landing."""
    topics = list_landed_topics(lake_url, landed.topic)
    if topics and landed.topic_id not in {topic.topic_id for topic in topics}:
        log.warning(
            "The topic %s has another id than before: it was deleted and created again, or this is another Kafka."
            " Landing begins with its first message; what was landed before stays.",
            landed.topic,
        )


def _drop_forgotten_users(forgotten_users: ForgottenUsers, topic: TopicDescription) -> None:
    """Remove the hashes of forgotten users of whom Kafka cannot have messages any more."""
    retention_ms = int(topic.options.get("retention.ms", "-1"))
    if retention_ms >= 0:
        forgotten_users.drop_users(datetime.now(UTC) - timedelta(milliseconds=retention_ms) - _RETENTION_MARGIN)
