"""What the DAGs share: defaults, fetch_tasks, pools, refresh_tasks, run_context, run_dates and spotify_settings."""
