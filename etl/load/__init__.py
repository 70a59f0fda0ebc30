"""Frames in, the star out: staging in parallel, checks, one publishing transaction.

    migrate    the warehouse's tables, made or brought up to date
    access     who may read what, made anew with every migration
    logins     people who sign in, and what they are here
    login_removal  a login taken away, whatever it has done
    run        what a load belongs to, and its lines in the audit
    copy       what runs in Spark's executors: a partition into a staging table
    staging    all frames into staging
    checks     queries over staging that stop publication where they find a row
    publish    sql/merge in one transaction: readers see the old state or the new one
    stream     the rows of a query into a table, by COPY from connection to connection
    loading    the three in order, under the lock
    events     the same for events: their members first, then the events with their members' keys
    lookup     the keys that members got
    partitions months of events, filled aside and attached
    matched    plays that several sources tell of
    saved      saved tracks and followed artists that several sources tell of
    spoken     podcasts and audiobooks that both kinds of export tell of
    marts      what most people ask, brought up to date with what was touched
    aside      its tables from nothing, which then take the place of those that readers have
    forget     a person out of the warehouse

In: frames of ``schemas.STAGED`` by name. Out: rows in the schemas warehouse and audit. Again with the same run changes
nothing; again with the same frames writes no row of the star.
"""

from etl.database.run_records import Run, RunInput
from etl.load.frame_load import load_frames

__all__ = ["Run", "RunInput", "load_frames"]
