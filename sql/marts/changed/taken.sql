-- The queue is emptied at the start: manual changes meanwhile wait for the end of this build, and stay queued for the
-- next one.
create temporary table taken_day (like audit.changed_day) on commit drop;
create temporary table taken_track (like audit.changed_track) on commit drop;
create temporary table taken_playlist (like audit.changed_playlist) on commit drop;

with taken as (
    delete from audit.changed_day returning *
)

insert into taken_day select * from taken;

with taken as (
    delete from audit.changed_track returning *
)

insert into taken_track select * from taken;

with taken as (
    delete from audit.changed_playlist returning *
)

insert into taken_playlist select * from taken;

analyze taken_day;
analyze taken_track;
analyze taken_playlist;
