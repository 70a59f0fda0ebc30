create index counted_track_recording_key_idx on mart.counted_track (recording_key);
