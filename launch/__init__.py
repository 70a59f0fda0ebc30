"""The commands of bin/, and the processes that bin/run starts.

    start.sh            finds a Python and runs
    bootstrap           installs Java, a virtual environment and packages, then becomes a command:
    run                 bin/run: start everything, import, refresh, report, stop
    checks              bin/test
    psql backup restore load_events import_history export_history simulate_feed simulate_stream create_topics
    export_avro describe_taste decide leave_out forecast sign_in add_login dashboard
                        the commands of the same names
    command_line        parses the arguments of the commands, and prints their errors

    environment         the environment of all processes
    secrets_store       generated passwords, readable by their owner only
    instance_lock       one bin/run for each STATE_DIR
    preconditions       checks before a start
    postgres            the embedded server
    kafka               the embedded broker
    streams             Kafka, the landing and the live queries of a start
    run_landing run_live_queries
                        the processes of streams
    ports               free ports of loopback
    warehouse_client    psql, pg_dump and pg_restore on the warehouse
    spark_jars          Spark's jars, fetched once; fetch_jars: the same where another Airflow starts the tasks
    class_archive       the archive of Spark's Java classes, written once
    processes           child processes in sessions of their own; none is left behind
    supervised_process  a child process that is restarted if it ends
    mock_api            the mock Spotify API as a process
    airflow_components  the four processes of Airflow
    airflow_api         a client of Airflow's REST API
    spotify             Airflow's pools for Spotify, and the notice that a mock API is in use
    dag_runs            one DAG run, watched until it ends
    first_start         the runs of a first start whose services run elsewhere, as in containers
    audit               what a start reads and records in the audit
    triggered_runs      runs that Airflow triggers by its assets, watched until they end
    console report      output for the operator

The other packages work without this one: they read WAREHOUSE_URL and the other settings from the environment.
"""
