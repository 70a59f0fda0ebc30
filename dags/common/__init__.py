"""Modules that the DAGs share.

assets            inputs in the lake and tables of the warehouse
landed_files_trigger  starts a load when landed messages of a topic wait
retries           default arguments of tasks, retries by the kind of error, the failure notification
params            pages and form fields
pools             names of Airflow's pools
run_context       ids and dates of a task's run
run_dates         the reference date and the fetch date of a run
spotify_settings  settings of tasks that call the Spotify API
fetch_tasks       tasks that call the Spotify API
refresh_tasks     tasks that publish the catalogue
"""
