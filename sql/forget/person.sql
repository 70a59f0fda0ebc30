-- What the warehouse holds of a person goes; counts in the audit stay. The caller has filled forgotten_user,
-- forgotten_account, forgotten_playlist, forgotten_input and forgotten_text, and commits.
create temporary table forgotten_key on commit drop as
select user_key from warehouse.dim_user where user_id in (select user_id from forgotten_user);

insert into forgotten_playlist (playlist_id)
select playlist_id from warehouse.dim_playlist where owner_id in (select user_id from forgotten_user);

create temporary table forgotten_playlist_key on commit drop as
select playlist_key from warehouse.dim_playlist where playlist_id in (select playlist_id from forgotten_playlist);

delete from audit.event_match as t
using audit.dropped_event as e, forgotten_key as k
where e.user_key = k.user_key and t.dropped_event_id = e.event_id and t.dropped_event_time = e.event_time;

delete from audit.dropped_event where user_key in (select user_key from forgotten_key);
delete from warehouse.fact_event where user_key in (select user_key from forgotten_key);
delete from warehouse.fact_spoken_event where user_key in (select user_key from forgotten_key);

-- Others may have played from the person's playlists: nobody knows any more which one it was.
update warehouse.fact_event set playlist_key = -1 where playlist_key in (select playlist_key from forgotten_playlist_key);
update audit.dropped_event set playlist_key = -1 where playlist_key in (select playlist_key from forgotten_playlist_key);

delete from warehouse.fact_playlist_track where playlist_key in (select playlist_key from forgotten_playlist_key);
delete from warehouse.dim_playlist where playlist_key in (select playlist_key from forgotten_playlist_key);
delete from audit.playlist_wish where user_id in (select user_id from forgotten_user);
delete from warehouse.user_record where user_id in (select user_id from forgotten_user);
delete from warehouse.dim_user where user_key in (select user_key from forgotten_key);
delete from simulation.listener where user_id in (select user_id from forgotten_user);

delete from warehouse.exclusion where kind = 'user' and id in (select user_id from forgotten_user);

delete from audit.gap where user_id in (select user_id from forgotten_user);
delete from audit.account_owner
where user_id in (select user_id from forgotten_user) or owner_id in (select user_id from forgotten_user);
delete from audit.fetch where account in (select account from forgotten_account);
delete from audit.rejected_row as t
where t.input_id in (select input_id from forgotten_input)
    or (
        -- Files of the catalogue tell of nobody: an id that is a word, such as a genre, stands there by chance.
        not exists (
            select from audit.run_input as i where i.input_id = t.input_id and i.origin in ('kaggle', 'made_up')
        )
        and exists (select from forgotten_text as f where strpos(t.row::text, f.text) > 0)
    );
update audit.run_input set name = 'forgotten' where input_id in (select input_id from forgotten_input);
