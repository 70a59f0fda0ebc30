-- Erase a data subject from the warehouse; counts in the audit stay. The caller has filled forgotten_user,
-- forgotten_account, forgotten_playlist, forgotten_input and forgotten_text, and commits.
create temporary table forgotten_key on commit drop as
select user_key from warehouse.dim_user where user_id in (select user_id from forgotten_user);

insert into forgotten_playlist (playlist_id)
select playlist_id from warehouse.dim_playlist where owner_id in (select user_id from forgotten_user)
union
select playlist_id from audit.exported_playlist where user_id in (select user_id from forgotten_user);

create temporary table forgotten_playlist_key on commit drop as
select playlist_key from warehouse.dim_playlist where playlist_id in (select playlist_id from forgotten_playlist);

-- The names behind a name-derived id may identify the data subject, such as those of a local file.
create temporary table named_thing on commit drop as
select distinct e.track_key, e.artist_key
from (
    select track_key, artist_key from warehouse.fact_event where user_key in (select user_key from forgotten_key)
    union all
    select track_key, artist_key from audit.dropped_event where user_key in (select user_key from forgotten_key)
    union all
    select track_key, -1
    from warehouse.fact_playlist_track
    where playlist_key in (select playlist_key from forgotten_playlist_key)
) as e;

create temporary table named_track on commit drop as
select t.track_key
from warehouse.dim_track as t
where t.track_key in (select track_key from named_thing) and t.is_inferred and t.track_id like 'name:%';

create temporary table named_artist on commit drop as
select a.artist_key
from warehouse.dim_artist as a
where a.is_inferred
    and a.artist_id like 'name:%'
    and a.artist_key in (
        select artist_key from named_thing
        union all
        select b.artist_key
        from warehouse.bridge_track_artist as b
        inner join named_track as n on n.track_key = b.track_key
    );

delete from audit.event_match as t
using audit.dropped_event as e, forgotten_key as k
where e.user_key = k.user_key and t.dropped_event_id = e.event_id and t.dropped_event_time = e.event_time;

delete from audit.dropped_event where user_key in (select user_key from forgotten_key);
delete from warehouse.fact_event where user_key in (select user_key from forgotten_key);
delete from warehouse.fact_spoken_event where user_key in (select user_key from forgotten_key);

-- Other users may have played from the data subject's playlists: these events lose the playlist.
update warehouse.fact_event set playlist_key = -1
where playlist_key in (select playlist_key from forgotten_playlist_key);
update audit.dropped_event set playlist_key = -1
where playlist_key in (select playlist_key from forgotten_playlist_key);

delete from warehouse.fact_playlist_track where playlist_key in (select playlist_key from forgotten_playlist_key);
delete from warehouse.dim_playlist where playlist_key in (select playlist_key from forgotten_playlist_key);
delete from audit.exported_playlist where user_id in (select user_id from forgotten_user);
delete from audit.playlist_request
where user_id in (select user_id from forgotten_user) or playlist_id in (select playlist_id from forgotten_playlist);
delete from warehouse.user_record where user_id in (select user_id from forgotten_user);
delete from warehouse.dim_user where user_key in (select user_key from forgotten_key);
delete from mart.forecast where level = 'listener' and segment in (select user_id from forgotten_user);
delete from mart.forecast_series where level = 'listener' and segment in (select user_id from forgotten_user);
delete from mart.forecast_refusal where level = 'listener' and segment in (select user_id from forgotten_user);
delete from simulation.anomaly_episode where user_id in (select user_id from forgotten_user);
delete from simulation.listener where user_id in (select user_id from forgotten_user);

create temporary table used_track on commit drop as
select track_key from warehouse.fact_event where track_key in (select track_key from named_track)
union
select track_key from audit.dropped_event where track_key in (select track_key from named_track)
union
select track_key from warehouse.fact_playlist_track where track_key in (select track_key from named_track)
union
select meant.track_key
from warehouse.dim_track as t
cross join lateral (values (t.recording_key), (t.merged_into_track_key)) as meant (track_key)
where meant.track_key <> t.track_key and meant.track_key in (select track_key from named_track);

delete from named_track where track_key in (select track_key from used_track);
delete from warehouse.track_alias where track_key in (select track_key from named_track);
delete from warehouse.bridge_track_artist where track_key in (select track_key from named_track);
delete from audit.name_matched_artist where track_key in (select track_key from named_track);
delete from audit.track_name where track_key in (select track_key from named_track);
delete from warehouse.dim_track where track_key in (select track_key from named_track);

-- The marts lose the rows, too, and are built again for the keys that replace them.
insert into audit.changed_track (track_key) select track_key from named_track on conflict do nothing;

create temporary table used_artist on commit drop as
select artist_key from warehouse.fact_event where artist_key in (select artist_key from named_artist)
union
select artist_key from audit.dropped_event where artist_key in (select artist_key from named_artist)
union
select artist_key from warehouse.bridge_track_artist where artist_key in (select artist_key from named_artist)
union
select artist_key from audit.name_matched_artist where artist_key in (select artist_key from named_artist);

delete from named_artist where artist_key in (select artist_key from used_artist);
delete from warehouse.dim_artist where artist_key in (select artist_key from named_artist);

delete from warehouse.exclusion where kind = 'user' and id in (select user_id from forgotten_user);
delete from warehouse.play_exclusion
where user_id in (select user_id from forgotten_user) or playlist_id in (select playlist_id from forgotten_playlist);

delete from audit.gap where user_id in (select user_id from forgotten_user);
delete from audit.play_source where user_id in (select user_id from forgotten_user);
delete from audit.account_owner
where user_id in (select user_id from forgotten_user) or owner_id in (select user_id from forgotten_user);
delete from audit.reload_input where input_id in (select input_id from forgotten_input);
delete from audit."fetch" where account in (select account from forgotten_account);
delete from audit.rejected_row as t
where t.input_id in (select input_id from forgotten_input)
    or (
        -- Files of the catalogue identify no user: an id that is a word, such as a genre, is in them by chance.
        not exists (
            select from audit.run_input as i where i.input_id = t.input_id and i.origin in ('kaggle', 'made_up')
        )
        and exists (select from forgotten_text as f where strpos(t.row::text, f.text) > 0)
    )
    -- The value of a rejected message of a topic is in base64, in which no id can be searched.
    or exists (
        select from forgotten_user as u
        where
            case
                when strpos(t.row::text, '"value_base64"') > 0
                    then position(convert_to(u.user_id, 'UTF8') in decode(t.row ->> 'value_base64', 'base64')) > 0
            end
    );
update audit.run_input set name = 'forgotten' where input_id in (select input_id from forgotten_input);
