"""Work that nobody waits for: sweeps, mails, jobs of streams."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.trace import Link, Span

from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.operation import Instruments, Work, account, current_work, working


@contextmanager
def background(
    name: str, instruments: Instruments | None = None, private: Sequence[str] = ()
) -> Iterator[Span]:
    """Work that outlives what started it: a trace of its own, linked to where it began.

    An exception is reported, and passes on.

    Args:
        name: the name of its root span.
        instruments: what to measure with; those of the work that starts it by default.
        private: what no exception may quote.
    """
    origin = trace.get_current_span().get_span_context()
    links = [Link(origin)] if origin.is_valid else []
    work = Work(instruments or current_work().instruments, bodies=[*private])
    root = work.instruments.tracer.start_span(name, context=context.Context(), links=links)
    work.is_recording = root.is_recording()
    token = context.attach(trace.set_span_in_context(root, context.Context()))
    try:
        with working(work):
            yield root
    except Exception as error:
        with working(work):
            report(error, name)
        raise
    finally:
        root.set_attributes(account(work))
        context.detach(token)
        root.end()
