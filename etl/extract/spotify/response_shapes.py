"""The shapes that bodies of API responses must have; a body of another shape counts as a failed call."""

from typing import Any

_MAX_TOTAL = 1_000_000
"""The largest plausible total of a list: pages are fetched one by one, and a wrong total would take days."""


def has_id(body: Any) -> bool:
    """Return whether a resource has an id."""
    return isinstance(body.get("id"), str)


def is_page(body: Any) -> bool:
    """Return whether a body is a page of a list: items, the next page's URL, and a plausible total."""
    total = body.get("total")
    return (
        isinstance(body.get("items"), list)
        and isinstance(body.get("next", 0), str | None)
        and isinstance(total, int)
        and 0 <= total <= _MAX_TOTAL
    )


def is_batch(body: Any, endpoint: str) -> bool:
    """Return whether a body is a batch of resources of an endpoint, with null for unknown ids."""
    resources = body.get(endpoint)
    return isinstance(resources, list) and all(isinstance(resource, dict | None) for resource in resources)
