"""Received text is never markup: hostile strings in every place that the page shows."""

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from playwright.async_api import Route, expect
from samples import JSON, START, TRACE, attributes, pack_metrics
from screens import Screen

HOSTILE = (
    "<img src=x onerror=hacked=1><script>hacked=1</script>"
    "\"'><svg onload=hacked=1></title></textarea><a href=javascript:hacked=1>&lt;&amp;{{1+1}}"
)
SEVERITY = "<b onclick=hacked=1>"
ESCAPED = """() => ({
  hacked: typeof hacked,
  foreign: [...document.querySelectorAll("main *, p *, title *")].filter((node) =>
    node.matches("script, svg, iframe, object, b[onclick], img[src=x], a[href^=javascript]") ||
    [...node.attributes].some(({name}) => name.startsWith("on")),
  ).length,
})"""


def _hostile(place: str) -> str:
    return f"{HOSTILE} {place}"


def _pairs(place: str) -> list[dict[str, Any]]:
    """Attributes whose names, values and nested values are hostile."""
    text = {"stringValue": _hostile(f"{place} value")}
    nested = {"kvlistValue": {"values": [{"key": _hostile(f"{place} inner"), "value": text}]}}
    lines = {"stringValue": _hostile(f"{place} first line\n") + _hostile(f"{place} second line")}
    return [
        {"key": _hostile(f"{place} name"), "value": text},
        {"key": f"{place} nested", "value": nested},
        {"key": f"{place} list", "value": {"arrayValue": {"values": [text]}}},
        {"key": f"{place} lines", "value": lines},
    ]


def _texts(place: str) -> list[str]:
    parts = ("name", "value", "first line", "second line")
    return [_hostile(f"{place} {part}") for part in parts]


RESOURCE = {
    "attributes": [
        {"key": "service.name", "value": {"stringValue": _hostile("service")}},
        *_pairs("resource"),
    ]
}
SCOPE = {
    "name": _hostile("scope"),
    "version": _hostile("version"),
    "attributes": _pairs("scope attribute"),
}
STACK = {"key": "exception.stacktrace", "value": {"stringValue": _hostile("stack")}}
SPAN = {
    "traceId": TRACE,
    "spanId": "01" * 8,
    "parentSpanId": "02" * 8,
    "name": _hostile("span"),
    "kind": 3,
    "startTimeUnixNano": str(START),
    "endTimeUnixNano": str(START + 5_000_000),
    "attributes": [
        *_pairs("span attribute"),
        *(
            {"key": name, "value": {"stringValue": _hostile(name)}}
            for name in ("http.request.method", "http.route", "server.address")
        ),
    ],
    "events": [
        {
            "name": _hostile("event"),
            "timeUnixNano": str(START),
            "attributes": [*_pairs("event attribute"), STACK],
        }
    ],
    "links": [{"traceId": "ab" * 16, "spanId": "cd" * 8, "attributes": _pairs("link attribute")}],
    "status": {"code": 2, "message": _hostile("status message")},
}
ODD_KIND = {**SPAN, "spanId": "03" * 8, "kind": _hostile("kind"), "status": {"code": SEVERITY}}
LINES = [
    {
        "traceId": TRACE,
        "spanId": "01" * 8,
        "timeUnixNano": str(START),
        "severityText": SEVERITY,
        "eventName": _hostile("log event"),
        "body": {"stringValue": _hostile("body")},
        "attributes": _pairs("log attribute"),
    },
    {
        "traceId": TRACE,
        "timeUnixNano": str(START),
        "body": {"kvlistValue": {"values": _pairs("body map")}},
    },
]


async def _send(screen: Screen) -> None:
    scoped = {"scope": SCOPE, "spans": [SPAN, ODD_KIND]}
    traces = {"resourceSpans": [{"resource": RESOURCE, "scopeSpans": [scoped]}]}
    logs = {
        "resourceLogs": [
            {"resource": RESOURCE, "scopeLogs": [{"scope": SCOPE, "logRecords": LINES}]}
        ]
    }
    for signal, body in (("traces", traces), ("logs", logs)):
        response = await screen.viewer.post(signal, json.dumps(body).encode(), JSON)
        assert response.json() == {}
    metric = Metric(
        name=_hostile("metric"), unit=_hostile("unit"), description=_hostile("description")
    )
    facts = {_hostile("metric attribute"): _hostile("metric value"), "map": {"a": HOSTILE}}
    metric.gauge.data_points.add(as_int=1, attributes=attributes(facts))
    service = _hostile("metric service")
    response = await screen.viewer.post("metrics", pack_metrics(metric, service=service))
    assert response.status_code == 200


async def _is_all_text(screen: Screen, *expected: str) -> None:
    """Check that the page shows each text, and that none became an element."""
    shown = await screen.page.evaluate(
        "[document.title, ...[...document.querySelectorAll('main *, p, title')].flatMap("
        "(node) => [node.title, node.value, node.textContent])].join('\\n')"
    )
    missing = [text for text in expected if text not in shown]
    assert missing == []
    assert await screen.page.evaluate(ESCAPED) == {"hacked": "undefined", "foreign": 0}


async def test_the_list_shows_text(screen: Screen) -> None:
    await _send(screen)
    await screen.open(f"/?name={quote('<img src=x onerror=hacked=1>')}")
    await expect(screen.page.locator("#traces li")).to_have_count(1)
    field = screen.page.get_by_label("Name or route")
    await expect(field).to_have_value("<img src=x onerror=hacked=1>")
    await _is_all_text(screen, _hostile("span"), _hostile("service"))
    await screen.open(f"/?status={quote(HOSTILE)}")
    await expect(screen.page.locator("#tally")).to_have_class("wrong")
    await _is_all_text(screen)
    await screen.open(f"/?name={quote(HOSTILE + ' nowhere')}")
    await expect(screen.page.locator("#empty h2")).to_have_text("No trace matches")
    await _is_all_text(screen)
    screen.expect_trouble("status of 400")


async def test_a_trace_shows_text_in_every_part(screen: Screen) -> None:
    page = screen.page
    await _send(screen)
    await screen.open(f"/trace/{TRACE}")
    await expect(page.locator(".spans [data-span]")).to_have_count(2)
    for one in await page.locator("[data-span]:not(.opened)").all():
        await one.click()
    for one in await page.locator("details:not([open]) > summary").all():
        if await one.is_visible():
            await one.click(position={"x": 2, "y": 2})
    places = ("span attribute", "event attribute", "link attribute", "log attribute", "resource")
    single = ("span", "service", "scope", "version", "event", "stack", "status message", "body")
    facts = ("http.route", "http.request.method", "server.address", "log event")
    kind = _hostile("kind").removeprefix("SPAN_KIND_")[:40]
    await _is_all_text(
        screen,
        *(_hostile(name) for name in (*single, *facts)),
        *(text for place in (*places, "scope attribute") for text in _texts(place)),
        kind,
        SEVERITY,
        json.dumps(_hostile("body map value"))[:60],
    )
    await screen.picture("markup")
    await screen.open(f"/trace/{quote(SEVERITY)}")
    await expect(page.get_by_role("heading", level=2)).to_have_text("Trace not found")
    await _is_all_text(screen, SEVERITY)
    await screen.leave()
    screen.expect_trouble("status of 404")


async def test_metrics_show_text(screen: Screen) -> None:
    await _send(screen)
    await screen.open("/metrics")
    await expect(screen.page.locator("#series tbody tr")).to_have_count(1)
    places = ("metric", "description", "metric attribute", "metric value", "metric service")
    await _is_all_text(screen, *map(_hostile, places))


async def test_an_error_of_the_page_is_shown_as_text(screen: Screen) -> None:
    await screen.open("/")
    await screen.page.evaluate(
        "(text) => { setTimeout(() => { throw new Error(text) }) }", _hostile("error")
    )
    await expect(screen.page.locator("#fault-what")).to_contain_text(_hostile("error"))
    await _is_all_text(screen, _hostile("error"))
    screen.expect_trouble("error")


@pytest.mark.parametrize(
    "script",
    [
        "document.body.innerHTML = '<b>x</b>'",
        "document.body.insertAdjacentHTML('beforeend', '<b>x</b>')",
        "document.body.setAttribute('onclick', 'hacked = 1'); document.body.click()",
        "setTimeout('hacked = 1')",
        "const node = document.createElement('script'); node.text = 'hacked = 1'",
        "document.createElement('script').src = 'data:text/javascript,hacked=1'",
        "trustedTypes.createPolicy('own', {})",
    ],
)
async def test_the_policy_blocks_code_from_strings(screen: Screen, script: str) -> None:
    await screen.open("/")
    thrown = await screen.page.evaluate(
        f"() => {{ try {{ {script}; return ''; }} catch (error) {{ return String(error); }} }}"
    )
    assert thrown.startswith("TypeError"), thrown
    assert await screen.page.evaluate("typeof hacked") == "undefined"
    screen.expect_trouble("Trusted|Content Security Policy")


async def test_the_policy_blocks_inline_scripts_and_handlers(screen: Screen) -> None:
    async def inject(route: Route) -> None:
        response = await route.fetch()
        body = (await response.text()).replace(
            "</body>", f"<script>hacked=1</script>{HOSTILE}</body>"
        )
        await route.fulfill(response=response, body=body)

    await screen.page.route(str(screen.viewer.http.base_url), inject)
    # An image that loads but cannot be decoded, so that its onerror would run.
    await screen.page.route(
        re.compile("/x$"), lambda route: route.fulfill(content_type="image/png")
    )
    await screen.open("/")
    await screen.page.wait_for_function("document.querySelector('img[src=x]')?.complete")
    assert await screen.page.evaluate("typeof hacked") == "undefined"
    screen.expect_trouble("inline script|Executing inline")
