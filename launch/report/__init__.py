"""The report at the end of a start.

start_report  the whole report, with the outcome, failures, times and next steps
tables        rows by table, tracks, inputs, rejected rows, matches and clusters
spotify       accounts, calls, playlists and the progress through the catalogue
events        events by source, duplicate plays, missing plays and the marts
table         the layout of the report's tables
"""
