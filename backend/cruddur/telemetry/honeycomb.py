"""Ask Honeycomb for the team and environment of an ingest key.

https://docs.honeycomb.io/api (Auth) and "Share a Trace" in its documentation.
"""

import re
from urllib.parse import quote, urlsplit

import msgspec
import requests
from msgspec import Struct

from cruddur.telemetry.export_queue import ExportError
from cruddur.telemetry.sink_clients import bound

_CLASSIC = re.compile(r"[0-9a-f]{32}|hc[a-z]ic_[0-9a-z]{58}")
_MANAGEMENT = re.compile(r"hc[a-z]mk_.*")


class _Named(Struct):
    name: str = ""
    slug: str = ""


class HoneycombAccount(Struct):
    """The team and the environment of a key; a Classic key has no environment."""

    team: _Named
    environment: _Named

    def trace_url(self, endpoint: str, dataset: str, trace_id: str) -> str:
        """Return the page of a trace.

        Args:
            endpoint: the API of the region.
            dataset: the name of the service.
            trace_id: in hex.
        """
        subdomain = "ui.eu1" if ".eu1." in f".{urlsplit(endpoint).hostname}" else "ui"
        place = f"environments/{self.environment.slug}/" if self.environment.slug else ""
        slug = quote(re.sub(r"[^a-z0-9._-]+", "-", dataset.lower()))
        return (
            f"https://{subdomain}.honeycomb.io/{self.team.slug}/{place}datasets/{slug}"
            f"/trace?trace_id={trace_id}"
        )


def read_account(endpoint: str, key: str, seconds: float) -> HoneycombAccount:
    """Return the account of a key.

    Args:
        endpoint: the base URL of the API.
        key: the ingest key.
        seconds: time limit.

    Raises:
        ExportError: Honeycomb does not respond or does not accept the key.
    """
    with bound(requests.Session()) as session:
        try:
            response = session.get(
                f"{endpoint.rstrip('/')}/1/auth",
                headers={"X-Honeycomb-Team": key},
                timeout=seconds,
                allow_redirects=False,  # a redirect would send the key elsewhere
            )
        except requests.RequestException as error:
            raise ExportError(type(error).__name__) from None  # a message may contain the headers
    if response.status_code != 200:
        raise ExportError(f"HTTP {response.status_code}")
    try:
        return msgspec.json.decode(response.content, type=HoneycombAccount)
    except msgspec.MsgspecError:
        raise ExportError("the response is not that of Honeycomb") from None


def describe_key(key: str) -> str:
    """Return why a key cannot be used as an ingest key, as far as its form shows; else empty."""
    if _MANAGEMENT.fullmatch(key):
        return "it is a management key, which cannot send events"
    if _CLASSIC.fullmatch(key):
        return "it is a Classic key, which needs a dataset in each request"
    return ""
