"""Settings, read from the environment once per call and never at import."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from etl.errors import ActionNeededError
from etl.feature_settings import FeatureSettings, parse_cluster_providers, read_feature_settings

CHECKOUT = Path(__file__).resolve().parent.parent

MOCK_API_NAME = "a stand-in"
"""The name of the mock API in the lake, which records where its responses come from."""


@dataclass(frozen=True)
class KafkaSettings:
    """How to reach Kafka and the schema registry; docs/settings.md has the meaning of each."""

    bootstrap_servers: str
    security_protocol: str
    sasl_mechanism: str
    sasl_username: str
    sasl_password: str = field(repr=False)
    ssl_ca_location: str
    schema_registry_url: str
    schema_registry_user_info: str = field(repr=False)
    topic: str = "SpotifyWrapped"

    @property
    def landing_group(self) -> str:
        """Return the consumer group of the landing processes."""
        return f"{self.topic}.landing"

    @property
    def dead_letter_topic(self) -> str:
        """Return the topic of the messages that landing rejects."""
        return f"{self.topic}.dlq"

    @property
    def anomaly_topic(self) -> str:
        """Return the topic of findings about unusual listeners."""
        return f"{self.topic}.anomalies"

    @property
    def position_topic(self) -> str:
        """Return the topic of the positions of simulated streams."""
        return f"{self.topic}.positions"


@dataclass(frozen=True)
class LandingSettings:
    """How a topic is landed in the lake and loaded; docs/settings.md has the meaning of each."""

    file_seconds: int = 10
    file_records: int = 250_000
    instance_id: str = ""
    session_seconds: int = 45
    load_seconds: int = 30
    load_records: int = 250_000


@dataclass(frozen=True)
class LiveSettings:
    """How the live tables are computed; docs/settings.md has the meaning of each."""

    lateness_minutes: int
    trigger_seconds: int
    max_messages: int
    driver_memory: str
    retention_days: int
    has_anomaly_query: bool


@dataclass(frozen=True)
class ForecastSettings:
    """What is forecast, and how often models are trained; docs/settings.md has the meaning of each."""

    series_limit: int = 100
    training_days: int = 7


@dataclass(frozen=True)
class Settings:
    """All settings of the jobs; docs/settings.md has the meaning of each."""

    state_dir: Path
    warehouse_url: str
    lake_url: str
    spark_master: str
    spark_driver_memory: str
    spark_idle_minutes: int
    kaggle_path: str | None
    spotify_client_id: str | None
    spotify_client_secret: str | None = field(repr=False)
    spotify_redirect_uri: str
    spotify_api_url: str
    spotify_accounts_url: str
    spotify_playlists: tuple[str, ...]
    spotify_daily_calls: int
    is_mock_api: bool
    cluster_count: int
    cluster_seed: int
    cluster_sample_size: int
    cluster_refit_fraction: float
    cluster_features_from: str
    retention_days: int
    simulated_listeners: int
    play_min_ms: int
    session_gap_minutes: int
    kafka: KafkaSettings | None
    lag_alert_messages: int
    dead_letter_alert_messages: int
    live: LiveSettings
    landing: LandingSettings = LandingSettings()
    forecast: ForecastSettings = ForecastSettings()
    features: FeatureSettings = field(default_factory=FeatureSettings)
    anomaly_queue_connection_string: str = field(default="", repr=False)

    @property
    def api_name(self) -> str:
        """Return the name of the API, as recorded in the lake."""
        return MOCK_API_NAME if self.is_mock_api else "Spotify"

    @property
    def is_mock_reccobeats(self) -> bool:
        """Return whether the server of the mock Spotify API is to answer for ReccoBeats, too."""
        mock_address, address = (
            urlsplit(url).netloc for url in (self.spotify_api_url, self.features.reccobeats_api_url)
        )
        return self.is_mock_api and address == mock_address

    def require_kafka(self) -> KafkaSettings:
        """Return the settings of Kafka.

        :raises ActionNeededError: if no Kafka is set.
        """
        if self.kafka is None:
            raise ActionNeededError(
                "KAFKA_BOOTSTRAP_SERVERS is not set: start the product with bin/run --streams, or name your Kafka."
            )
        return self.kafka


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in the environment.

    :param environ: ``os.environ`` by default; tests pass their own.
    :raises ActionNeededError: if a value is not valid, or the warehouse is not set.
    """
    env = os.environ if environ is None else environ
    state_dir = Path(env.get("STATE_DIR") or CHECKOUT / ".state").resolve()
    return Settings(
        state_dir=state_dir,
        warehouse_url=_require_setting(env, "WAREHOUSE_URL"),
        lake_url=env.get("LAKE_URL") or (state_dir / "lake").as_uri(),
        spark_master=env.get("SPARK_MASTER") or "local[*]",
        spark_driver_memory=env.get("SPARK_DRIVER_MEMORY") or "2g",
        spark_idle_minutes=parse_whole_number(env, "SPARK_IDLE_MINUTES", 0),
        kaggle_path=env.get("KAGGLE_PATH") or None,
        spotify_client_id=env.get("SPOTIPY_CLIENT_ID") or None,
        spotify_client_secret=env.get("SPOTIPY_CLIENT_SECRET") or None,
        spotify_redirect_uri=env.get("SPOTIPY_REDIRECT_URI") or "http://127.0.0.1:8888/callback",
        spotify_api_url=env.get("SPOTIFY_API_URL") or "https://api.spotify.com/v1/",
        spotify_accounts_url=env.get("SPOTIFY_ACCOUNTS_URL") or "https://accounts.spotify.com",
        spotify_playlists=_split_words(env, "SPOTIFY_PLAYLISTS"),
        spotify_daily_calls=parse_whole_number(env, "SPOTIFY_DAILY_CALLS", 500),
        is_mock_api=env.get("IS_STAND_IN") == "true",
        cluster_count=parse_whole_number(env, "CLUSTER_COUNT", 8, minimum=2),
        cluster_seed=parse_whole_number(env, "CLUSTER_SEED", 1),
        cluster_sample_size=parse_whole_number(env, "CLUSTER_SAMPLE_SIZE", 15_000, minimum=1),
        cluster_refit_fraction=_parse_fraction(env, "CLUSTER_REFIT_SHARE", 0.2),
        cluster_features_from=parse_cluster_providers(env),
        retention_days=parse_whole_number(env, "KEEP_DAYS", 30, minimum=1),
        simulated_listeners=parse_whole_number(env, "SIMULATED_LISTENERS", 100),
        play_min_ms=parse_whole_number(env, "PLAY_MIN_MS", 30_000),
        session_gap_minutes=parse_whole_number(env, "SESSION_GAP_MINUTES", 30, minimum=1),
        kafka=_read_kafka_settings(env),
        lag_alert_messages=parse_whole_number(env, "LAG_ALERT_MESSAGES", 10_000),
        dead_letter_alert_messages=parse_whole_number(env, "DEAD_LETTER_ALERT_MESSAGES", 100),
        landing=_read_landing_settings(env),
        live=LiveSettings(
            lateness_minutes=parse_whole_number(env, "LIVE_LATENESS_MINUTES", 10),
            trigger_seconds=parse_whole_number(env, "LIVE_TRIGGER_SECONDS", 1),
            max_messages=parse_whole_number(env, "LIVE_MAX_MESSAGES", 200_000, minimum=1),
            driver_memory=env.get("LIVE_DRIVER_MEMORY") or "1g",
            retention_days=parse_whole_number(env, "LIVE_RETENTION_DAYS", 7, minimum=1),
            has_anomaly_query=parse_choice(env, "LIVE_ANOMALIES", ("on", "off")) == "on",
        ),
        forecast=ForecastSettings(
            series_limit=parse_whole_number(env, "FORECAST_SERIES_LIMIT", 100),
            training_days=parse_whole_number(env, "FORECAST_TRAINING_DAYS", 7, minimum=1),
        ),
        features=replace(
            read_feature_settings(env),
            reccobeats_daily_calls=parse_whole_number(env, "RECCOBEATS_DAILY_CALLS", 250),
        ),
        anomaly_queue_connection_string=env.get("ANOMALY_QUEUE_CONNECTION_STRING", ""),
    )


def _read_kafka_settings(env: Mapping[str, str]) -> KafkaSettings | None:
    """Return the settings of Kafka; None without KAFKA_BOOTSTRAP_SERVERS."""
    if not env.get("KAFKA_BOOTSTRAP_SERVERS"):
        return None
    username = env.get("KAFKA_SASL_USERNAME", "")
    default_protocol = "SASL_SSL" if username else "PLAINTEXT"
    protocols = (default_protocol, "SASL_SSL", "SASL_PLAINTEXT", "SSL", "PLAINTEXT")
    return KafkaSettings(
        bootstrap_servers=env["KAFKA_BOOTSTRAP_SERVERS"],
        security_protocol=parse_choice(env, "KAFKA_SECURITY_PROTOCOL", protocols),
        sasl_mechanism=parse_choice(env, "KAFKA_SASL_MECHANISM", ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")),
        sasl_username=username,
        sasl_password=env.get("KAFKA_SASL_PASSWORD", ""),
        ssl_ca_location=env.get("KAFKA_SSL_CA_LOCATION", ""),
        schema_registry_url=env.get("SCHEMA_REGISTRY_URL", ""),
        schema_registry_user_info=env.get("SCHEMA_REGISTRY_USER_INFO", ""),
        topic=env.get("KAFKA_TOPIC") or KafkaSettings.topic,
    )


def _read_landing_settings(env: Mapping[str, str]) -> LandingSettings:
    defaults = LandingSettings()
    return LandingSettings(
        file_seconds=parse_whole_number(env, "LANDING_SECONDS", defaults.file_seconds, minimum=1),
        file_records=parse_whole_number(env, "LANDING_MAX_RECORDS", defaults.file_records, minimum=1),
        instance_id=env.get("LANDING_INSTANCE") or socket.gethostname(),
        session_seconds=parse_whole_number(env, "LANDING_SESSION_SECONDS", defaults.session_seconds, minimum=1),
        load_seconds=parse_whole_number(env, "LOAD_SECONDS", defaults.load_seconds),
        load_records=parse_whole_number(env, "LOAD_RECORDS", defaults.load_records, minimum=1),
    )


def _require_setting(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise ActionNeededError(
            f"{name} is not set. bin/run and bin/psql set it for the embedded server; "
            "elsewhere set it to a SQLAlchemy URL such as postgresql://user:password@host/database."
        )
    return value


def _split_words(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(env.get(name, "").replace(",", " ").split())


def parse_whole_number(
    env: Mapping[str, str], name: str, default: int, minimum: int = 0, maximum: int | None = None
) -> int:
    """Return a setting that is a whole number from ``minimum`` to ``maximum``.

    :raises ActionNeededError: if it is not one.
    """
    text = env.get(name)
    if not text:
        return default
    bounds = f"from {minimum} to {maximum}" if maximum is not None else f"of {minimum} or more"
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or number < minimum or (maximum is not None and number > maximum):
        raise ActionNeededError(f"{name} must be a whole number {bounds}, not {text!r}.")
    return number


def parse_choice(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """Return a setting that is one of ``choices``; the first one is the default.

    :raises ActionNeededError: if it is another value.
    """
    chosen = env.get(name) or choices[0]
    if chosen not in choices:
        raise ActionNeededError(f"{name} must be one of {', '.join(choices)}, not {chosen!r}.")
    return chosen


def _parse_fraction(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise ActionNeededError(f"{name} must be a number from 0 to 1, not {text!r}.") from None
    if not 0 <= value <= 1:
        raise ActionNeededError(f"{name} must be a number from 0 to 1, not {text!r}.")
    return value
