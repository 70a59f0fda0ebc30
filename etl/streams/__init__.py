"""Streams: listening events in Kafka.

live_query        the streaming query behind the live tables
live_checkpoints  its checkpoint folders
clients           options of Kafka clients, and messages for their errors
topics            the topics and the partition of each continent
schema_registry   schemas of values in the Confluent wire format
messages          the values of messages as Arrow tables
message_batch     the messages that landing has read, as columns
landing           the process that lands the topic in the lake
landing_consumer  its consumer, which starts from what is landed
landing_files     the files of a batch of messages
landing_progress  its progress file
hang_watch        the end of a landing process that stands still
dead_letters      rejected messages in a topic of their own
forgotten         messages of users who were forgotten meanwhile
lag               offsets of the topic and of its consumers
watch_checks      checks of the processes that read the topic
anomaly_queue     findings about users who may behave anomalously, to Kafka or Azure Storage
"""
