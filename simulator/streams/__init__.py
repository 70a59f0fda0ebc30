"""Streams of events into the topic: those of simulated listeners, or the records of files.

In: a simulation, or Avro files of UserActivity. Out: messages in the topic of events, each sent once and at the pace of
the stream, and the stream's position in the topic of positions. Both are written in the same transaction, so that the
next process goes on where a killed one has ended. A stream consists of blocks that are the same at every start.

    blocks           what a stream consists of
    listener_source  the events of simulated listeners, with injected errors
    activity_tables  rows of small numbers as tables of UserActivity
    avro_values      rows as Avro values, encoded by columns
    file_source      the records of files
    pacing           when messages are due
    positions        the positions of streams in Kafka
    transactions     messages and positions in one transaction
    sending          a stream from its position to its end
    observer         what a stream reports, and how it is stopped
"""
