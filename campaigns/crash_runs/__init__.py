"""Parts of the campaigns ``crash`` and ``crash_airflow``."""
