"""The board of useful queries."""

from msgspec import Struct


class UsefulQuery(Struct, frozen=True):
    """A query that is useful without a change, and the question that it answers."""

    name: str
    question: str
    query: str


USEFUL = (
    UsefulQuery(
        "Requests over time",
        "How do rate, errors and latency develop, for each route?",
        "from roots where route exists | rate, errors, p95(duration) by route every 1m",
    ),
    UsefulQuery("Latency", "Are there slow requests, and when?", "from roots | heatmap(duration)"),
    UsefulQuery(
        "Slowest routes",
        "Which route is slowest at p95?",
        "from roots where route exists | p95(duration), p50(duration), count by route",
    ),
    UsefulQuery(
        "Latency by user",
        "Who has to wait?",
        "from roots where user exists | p95(duration), count, errors by user",
    ),
    UsefulQuery(
        "Errors by route",
        "Which route fails, and why?",
        "from roots where error | count by route, error.type",
    ),
    UsefulQuery(
        "Errors by user", "Which user has the errors?", "from roots where error | count by user"
    ),
    UsefulQuery(
        "Slowest statements",
        "Which SQL statement takes the most time in total?",
        "where statement exists | sum(duration), p95(duration), count by statement",
    ),
    UsefulQuery(
        "Repeated statements",
        "Where does a request repeat the same statement?",
        "from roots where trace.repetitions >= 3 "
        "| max(trace.repetitions), count by route, trace.repeated_statement",
    ),
    UsefulQuery(
        "Outgoing calls",
        "Which other system is slow or fails?",
        "where kind = client and host exists and statement not exists "
        "| p95(duration), errors, count by host",
    ),
    UsefulQuery(
        "Failed background jobs",
        "Which background job failed?",
        "where error and parent_span_id not exists and not kind in (server, consumer) "
        "| count by name, error.type with background",
    ),
    UsefulQuery(
        "Expiry sweeps",
        "How long do sweeps take, and how much do they remove?",
        "where name = sweep | count, p95(duration), sum(app.swept) every 1m with background",
    ),
    UsefulQuery("Recent traces", "What has just happened?", "from roots limit 50"),
    UsefulQuery("Slowest requests", "What did they do?", "from roots order by duration limit 20"),
    UsefulQuery(
        "Warnings and errors",
        "What do the log lines say?",
        "from logs where severity_number >= 13 limit 200",
    ),
)
