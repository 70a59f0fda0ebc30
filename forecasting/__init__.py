"""Forecasts of listening: sessions, minutes and active users, by days and by weeks.

In: a folder with a request and series, as JSON and Arrow. Out: forecasts, scores, champions and anomalous days, as
Arrow. Knows neither PostgreSQL nor Airflow nor the rest of the product, and runs in an environment of its own
(`requirements.txt` of this folder): `python -m forecasting FOLDER`. Heavy libraries are imported only where they are
used.

    errors       failures, with messages for the operator
    settings     settings of a run, with their defaults
    panels       series of one group as a matrix, and the part of it that is known on a date
    validation   which series can be forecast, and why others cannot
    metrics      MASE, weighted quantile loss, coverage
    models       the models, and what they have in common
    network      the global network
    conformal    prediction intervals from a model's own past errors
    backtest     forecasts from past dates
    champion     which model is published, and why
    training     network, backtest and champions of all groups
    model_set    the published models with their calibration, in memory and as files
    anomalies    anomalous days
    files        the files of a run: schemas, reading, writing
    tables       results as tables
    provenance   hashes and versions of what a result depends on
    run          one run, from the request to the results
"""
