"""The pipeline: data enters by extract, and leaves by load.

    extract ─► lake ─► transform ─► load ─► PostgreSQL
    Kafka   ─► lake (landed files, loaded as any feed)
            └► live tables

Foundations, which every package may import:

    settings   settings from the environment
    feature_settings  those of the providers of audio features
    errors     failures, by what the caller can do about them
    passwords  generated passwords and keys
    storage    the lake: received inputs, run checkpoints, latest API state; Arrow files
    engines    Spark, DataFusion, and parallel work on many files
    formats    what files contain: Kaggle's tables, Avro feeds, API responses, contracts between steps
    database   connections to PostgreSQL, and reads from the audit
    taste_text a user's taste in words, from the figures of a mart

Siblings, which never import each other:

    extract    brings bytes into the lake, as received
    transform  turns inputs into the rows of the star
    load       writes, checks and publishes the rows
    erasure    removes a listener from the lake and the warehouse
    streams    reads listening events from Kafka, into the lake and into live tables

``jobs`` composes them, one function a task. The DAGs say when a job runs. Nothing here imports Airflow, so that every
step also runs from a shell and in a test.
"""
