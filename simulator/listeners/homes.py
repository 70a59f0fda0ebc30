"""Homes of listeners: country, timezone and fraction, in round numbers after where music is streamed."""

from dataclasses import dataclass

from etl.formats.geography import CONTINENTS


@dataclass(frozen=True)
class Home:
    """A home of listeners; ``timezone`` is an IANA name."""

    country: str
    timezone: str
    weight: float

    @property
    def continent(self) -> str:
        return CONTINENTS[self.country]


HOMES = tuple(
    Home(*home)
    for home in (
        ("US", "America/New_York", 9.0),
        ("US", "America/Chicago", 6.0),
        ("US", "America/Denver", 2.0),
        ("US", "America/Los_Angeles", 4.5),
        ("US", "America/Phoenix", 0.6),
        ("CA", "America/Toronto", 1.8),
        ("CA", "America/Vancouver", 0.7),
        ("CA", "America/St_Johns", 0.1),
        ("MX", "America/Mexico_City", 6.0),
        ("CR", "America/Costa_Rica", 0.3),
        ("BR", "America/Sao_Paulo", 7.5),
        ("BR", "America/Manaus", 0.4),
        ("AR", "America/Argentina/Buenos_Aires", 2.2),
        ("CL", "America/Santiago", 1.5),
        ("CO", "America/Bogota", 1.8),
        ("PE", "America/Lima", 1.2),
        ("GB", "Europe/London", 5.5),
        ("IE", "Europe/Dublin", 0.5),
        ("DE", "Europe/Berlin", 5.5),
        ("FR", "Europe/Paris", 3.6),
        ("ES", "Europe/Madrid", 3.2),
        ("ES", "Atlantic/Canary", 0.2),
        ("IT", "Europe/Rome", 3.0),
        ("NL", "Europe/Amsterdam", 1.6),
        ("SE", "Europe/Stockholm", 1.3),
        ("NO", "Europe/Oslo", 0.7),
        ("PL", "Europe/Warsaw", 2.0),
        ("GR", "Europe/Athens", 0.5),
        ("TR", "Europe/Istanbul", 2.4),
        ("IN", "Asia/Kolkata", 6.0),
        ("ID", "Asia/Jakarta", 3.4),
        ("ID", "Asia/Makassar", 0.5),
        ("PH", "Asia/Manila", 2.6),
        ("JP", "Asia/Tokyo", 1.8),
        ("KR", "Asia/Seoul", 0.6),
        ("TW", "Asia/Taipei", 0.8),
        ("AE", "Asia/Dubai", 0.6),
        ("NP", "Asia/Kathmandu", 0.1),
        ("ZA", "Africa/Johannesburg", 1.2),
        ("NG", "Africa/Lagos", 0.8),
        ("EG", "Africa/Cairo", 0.9),
        ("KE", "Africa/Nairobi", 0.4),
        ("MA", "Africa/Casablanca", 0.4),
        ("AU", "Australia/Sydney", 1.7),
        ("AU", "Australia/Adelaide", 0.3),
        ("AU", "Australia/Perth", 0.4),
        ("NZ", "Pacific/Auckland", 0.5),
        ("FJ", "Pacific/Fiji", 0.1),
        ("AQ", "Antarctica/McMurdo", 0.05),
    )
)
