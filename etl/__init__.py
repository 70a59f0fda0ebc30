"""The pipeline, in the order in which data flows through it.

    extract ─► lake ─► transform ─► load ─► PostgreSQL
                 ▲
    simulate ────┘   (made-up inputs, received like any other)

Ground floor, importable from everywhere:

    config        settings from the environment
    errors        what the caller can do about a failure
    passwords     generated passwords and keys
    full_disk     what to say where a disk is full
    person        whom to forget: all that somebody goes by
    limits        when something can have happened at all
    schemas       the columns of every frame that crosses a folder's border
    formats       the formats of Kaggle's files, each told by its columns
    column_rules  what a field of each of their columns may hold
    tabular       tables in files, delimited text and spreadsheets, as records of text
    avro          files of Avro as tables of columns
    packed        what packed bytes raise where they are broken
    arrow_files   tables of columns as files
    columnar      SQL over tables of columns, within one process
    places        countries and their continents, timezones
    lake          files as received, and what each run made of them
    spark         the one place that starts a Spark session
    spread        the same work on many parts, here or on a cluster
    warehouse     connections to PostgreSQL and reads from it
    catalogue_reads   what made-up listeners find there

The four siblings ``extract``, ``simulate``, ``transform`` and ``load`` never import each other;
``jobs`` composes them, one function a task; ``dags`` says when a job runs. Nothing here imports
Airflow, so that every step also runs from a shell and in a test.
"""
