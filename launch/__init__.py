"""What the commands in bin/ do, in the order in which a start needs it.

    start.sh            finds a Python, hands over to
    bootstrap           Java, virtual environment, packages; under the system's Python, then becomes one of:
    run                 bin/run: start, import, refresh, report, end
    checks              bin/test
    dashboard           bin/dashboard, and the part of bin/run
    psql backup restore load_events import_history simulate_feed sign_in add_login
                        the commands of the same names; those that speak to the warehouse through warehouse_client

    environment         the environment that every process is started with
    secrets_store       passwords made once, readable by their owner only
    only_one            one bin/run a STATE_DIR
    preconditions       what must be so before a start, each failure a sentence
    postgres            the embedded server: start, stop, address
    jars                Spark's jars, fetched once
    processes           parts in sessions of their own, none left behind
    kept                a part that is started again where it ends: Airflow's, stand_in, dashboard
    stand_in            the stand-in for Spotify's API as a process
    airflow_parts       the four parts of Airflow
    airflow_api         its REST API
    spotify             the pools without which nothing asks Spotify, and who answers in its place
    dag_runs            one run, watched to its end
    first_feed          listeners made up at the first start
    followers           runs that start by themselves after ours, seen to their end
    console report      what a person sees

The rest of the product runs without this package: it takes WAREHOUSE_URL and its fellow settings from the
environment, whoever sets them.
"""
