"""The load: stage frames in parallel, check them, publish them in one transaction, and build the marts.

    migrate            create the warehouse's tables, or bring them up to date
    schema             creation of a new warehouse from sql/schema
    migrations         Alembic's revisions of these tables
    access             privileges by role, and logins
    frame_load         the load of frames: staging, checks and publication, under the lock of the warehouse
    staging            staging of all frames
    staging_copy       binary COPY of a partition into a staging table, in Spark's executors
    checks             queries over staging that prevent publication if they return a row
    publish            the files of sql/merge, in one transaction
    query_copy         binary COPY of a query's rows from one connection to another
    event_load         the load of events: dimension members first, then the events with their keys
    lookup             surrogate keys of dimension members
    partitions         monthly partitions of the fact tables
    statements         decisions about ids, and plays that are left out of all counts
    play_matches       plays that several sources report
    library_duplicates saved tracks and followed artists that several sources report
    spoken_duplicates  podcasts and audiobooks that both kinds of export report
    marts              the build of the marts
    mart_files         the files that it runs, in order
    anomalies          findings about users who may behave anomalously
    forecasts          the series that are forecast, and the results
    live_tables        the tables of the schema live, batch by batch
    live_agreement     the comparison of these tables with the star
    simulated_truth    the truth about the listeners of a stream, in the schema simulation
    table_swap         shadow tables for a full refresh of the marts

In: frames of ``contracts.STAGED`` by name. Out: rows in the schemas warehouse, mart and audit. A repeated run changes
nothing; a new run with the same frames writes no row of the star.
"""

from etl.database.run_records import Run, RunInput
from etl.load.frame_load import load_frames, load_frames_under_lock

__all__ = ["Run", "RunInput", "load_frames", "load_frames_under_lock"]
