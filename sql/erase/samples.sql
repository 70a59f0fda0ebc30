-- The planner's statistics contain values, too. ANALYZE replaces them, but not those of an empty table: so each table
-- that may be empty temporarily has a neutral row.
insert into warehouse.user_record (user_id, valid_from, source) values ('not applicable', '-infinity', 'warehouse')
on conflict do nothing;
insert into warehouse.exclusion (kind, id) values ('user', 'not applicable') on conflict do nothing;
insert into mart.applied_exclusion (kind, id) values ('user', 'not applicable') on conflict do nothing;
insert into audit.gap (user_id, gap_from, gap_to, found_at, run_id)
values ('not applicable', '-infinity', 'infinity', 'infinity', '')
on conflict do nothing;
insert into audit.account_owner (user_id, owner_id) values ('not applicable', 'not applicable') on conflict do nothing;
insert into audit.play_source (user_id, source) values ('not applicable', '') on conflict do nothing;
insert into audit.playlist_request (user_id, playlist_id) values ('not applicable', '0000000000000000000000')
on conflict do nothing;
insert into audit.exported_playlist (playlist_id, user_id, name, occurrence, file_name, exported_at)
values ('not applicable', 'not applicable', '', 1, '', '-infinity')
on conflict do nothing;
insert into audit."fetch" (run_id, part, account, asked_at, state)
values ('', '', 'not applicable', '-infinity', 'done')
on conflict do nothing;
insert into audit.login (login_name, kind, user_id) values ('not applicable', 'listener', 'not applicable')
on conflict do nothing;
insert into simulation.listener (user_id, population, seed, personality, exploration, newness, loyalty, commonality)
values ('not applicable', '', 0, 'FTVU', 0, 0, 0, 0)
on conflict do nothing;
insert into simulation.anomaly_episode (user_id, kind, started_at, ended_at)
values ('not applicable', 'sudden_change', '-infinity', '-infinity')
on conflict do nothing;
insert into mart.anomaly (
    user_id, rule, window_start, window_end, reason, score, combined_score, detected_at, source
)
values ('not applicable', '', '-infinity', 'infinity', '', 0.5, 0.5, '-infinity', 'nightly')
on conflict do nothing;
insert into mart.forecast_series (value, target_date, metric, grain, level, segment)
values (0, '-infinity', 'minutes', 'day', 'listener', 'not applicable')
on conflict do nothing;
insert into mart.forecast_refusal (as_of_date, metric, grain, level, segment, reason)
values ('-infinity', 'minutes', 'day', 'listener', 'not applicable', '')
on conflict do nothing;
insert into mart.forecast (
    made_at, q025, q10, q50, q90, q975, as_of_date, target_date, horizon, metric, grain, level, segment, model, run_id
)
values ('-infinity', 0, 0, 0, 0, 0, '-infinity', '-infinity', 1, 'minutes', 'day', 'listener', 'not applicable', '', '')
on conflict do nothing;

analyze warehouse.dim_user, warehouse.user_record, warehouse.dim_playlist, warehouse.dim_track, warehouse.dim_artist,
    warehouse.exclusion, mart.applied_exclusion, audit.gap, audit.account_owner, audit.play_source,
    audit.playlist_request, audit.exported_playlist, audit."fetch", audit.login, audit.rejected_row, audit.run,
    audit.run_input, simulation.listener, simulation.anomaly_episode, mart.anomaly,
    mart.forecast, mart.forecast_series, mart.forecast_refusal;

delete from warehouse.user_record where user_id = 'not applicable';
delete from warehouse.exclusion where id = 'not applicable';
delete from mart.applied_exclusion where id = 'not applicable';
delete from audit.gap where user_id = 'not applicable';
delete from audit.account_owner where user_id = 'not applicable';
delete from audit.play_source where user_id = 'not applicable';
delete from audit.playlist_request where user_id = 'not applicable';
delete from audit.exported_playlist where user_id = 'not applicable';
delete from audit."fetch" where account = 'not applicable';
delete from audit.login where user_id = 'not applicable';
delete from simulation.anomaly_episode where user_id = 'not applicable';
delete from mart.anomaly where user_id = 'not applicable';
delete from mart.forecast where segment = 'not applicable';
delete from mart.forecast_series where segment = 'not applicable';
delete from mart.forecast_refusal where segment = 'not applicable';
delete from simulation.listener where user_id = 'not applicable';

do $$
declare
    staged text;
begin
    for staged in
        select c.oid::regclass::text
        from pg_class as c
        where c.relnamespace = 'staging'::regnamespace and c.relkind = 'r'
            and not exists (select from pg_attribute as a where a.attrelid = c.oid and a.attnum > 0 and a.attnotnull)
    loop
        execute format('insert into %s default values', staged);
        execute format('analyze %s', staged);
        execute format('truncate %s', staged);
    end loop;
end
$$;
