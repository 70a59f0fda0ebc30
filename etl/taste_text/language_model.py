"""A profile in words by a language model, if one is set up: off by default.

The endpoint is one that understands OpenAI's chat completions, such as a model on the user's own machine. It gets the
statements with their figures, and no id or name of a user. What it writes is shown only if each number in it is one of
the figures; else, and after any failure, the text by the rules is shown.
"""

import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import requests

from etl.errors import ActionNeededError
from etl.taste_text.profile import TasteText

log = logging.getLogger(__name__)

URL_SETTING, MODEL_SETTING, KEY_SETTING = "TASTE_TEXT_URL", "TASTE_TEXT_MODEL", "TASTE_TEXT_KEY"
SETTING_NAMES = (URL_SETTING, MODEL_SETTING, KEY_SETTING)
MAX_TEXT_LENGTH = 900
_TIMEOUT_SECONDS = (3.0, 20.0)
_MAX_RESPONSE_BYTES = 200_000
_INSTRUCTIONS = (
    "Write two or three warm sentences to a listener about the music of a year, in English, from these statements. Use"
    " only what they say, with the numbers as they are written, and no other number, name or judgement. Plain text."
)
_NUMBER = re.compile(r"\d[\d,.]*")


@dataclass(frozen=True)
class LanguageModel:
    """An endpoint of chat completions."""

    url: str
    model: str
    key: str = field(default="", repr=False)


def read_language_model(environ: Mapping[str, str]) -> LanguageModel | None:
    """Return the language model of the environment; None if none is set up.

    :raises ActionNeededError: if its URL is none of HTTP.
    """
    url = environ.get(URL_SETTING, "").strip()
    if not url:
        return None
    if not url.startswith(("http://", "https://")):
        raise ActionNeededError(
            f"{URL_SETTING} must begin with http:// or https://, such as http://127.0.0.1:11434/v1."
        )
    return LanguageModel(url.rstrip("/"), environ.get(MODEL_SETTING) or "default", environ.get(KEY_SETTING, ""))


def rewrite_profile(profile: TasteText, year: int, language_model: LanguageModel) -> str | None:
    """Return a profile as the language model writes it; None if it fails, or writes a number that is not a figure.

    Nothing of the figures or the text is logged.
    """
    try:
        text = _request_text(_build_messages(profile, year), language_model)
    except (requests.RequestException, ValueError, LookupError, TypeError) as error:
        log.warning("%s gave no profile in words: %s", URL_SETTING, type(error).__name__)
        return None
    if not text or len(text) > MAX_TEXT_LENGTH:
        log.warning("%s gave no text of up to %s characters.", URL_SETTING, MAX_TEXT_LENGTH)
        return None
    known_numbers = set(_list_numbers(profile.text)) | {str(year), str(year - 1)}
    if set(_list_numbers(text)) - known_numbers:
        log.warning("%s gave a text with numbers that are none of the figures.", URL_SETTING)
        return None
    return text


def _build_messages(profile: TasteText, year: int) -> list[dict[str, str]]:
    content = {
        "year": year,
        "statements": [
            {"kind": statement.kind, "says": statement.text, "figures": statement.figures}
            for statement in profile.statements
        ],
    }
    return [
        {"role": "system", "content": _INSTRUCTIONS},
        {"role": "user", "content": json.dumps(content, ensure_ascii=False)},
    ]


def _request_text(messages: list[dict[str, str]], language_model: LanguageModel) -> str:
    headers = {"Authorization": f"Bearer {language_model.key}"} if language_model.key else {}
    with requests.Session() as session:
        session.trust_env = False  # neither proxies nor passwords of the machine: the URL is the whole destination
        with session.post(
            f"{language_model.url}/chat/completions",
            json={"model": language_model.model, "messages": messages, "temperature": 0.7, "max_tokens": 300},
            headers=headers,
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
            stream=True,
        ) as response:
            response.raise_for_status()
            body = _read_body(response)
    content = json.loads(body)["choices"][0]["message"]["content"]
    return " ".join(content.split()) if isinstance(content, str) else ""


def _read_body(response: requests.Response) -> bytes:
    """Return the body; the timeout of requests is that of each read, so a slow sender needs another limit."""
    body, started = b"", time.monotonic()
    for chunk in response.iter_content(8192):
        body += chunk
        if len(body) > _MAX_RESPONSE_BYTES or time.monotonic() - started > _TIMEOUT_SECONDS[1]:
            raise requests.Timeout("The response is too long or too slow.")
    return body


def _list_numbers(text: str) -> list[str]:
    return [number.rstrip(",.").replace(",", "") for number in _NUMBER.findall(text)]
