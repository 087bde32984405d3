"""Background work: sweeps, mails and other jobs that outlive the request that started them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.trace import Link, Span

from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.operation import Instruments, Work, account, current_work, working


@contextmanager
def background(
    name: str,
    instruments: Instruments | None = None,
    private: Sequence[str] = (),
    *,
    is_quiet: bool = False,
) -> Iterator[Span]:
    """Run background work in a trace of its own, linked to the span that started it.

    An exception is reported and raised again.

    Args:
        name: the name of the root span.
        instruments: what to measure with; by default those of the current unit of work.
        private: texts that no recorded exception may quote.
        is_quiet: whether only those statements have a span that changed rows, failed or were slow.
    """
    origin = trace.get_current_span().get_span_context()
    links = [Link(origin)] if origin.is_valid else []
    work = Work(instruments or current_work().instruments, bodies=[*private], is_quiet=is_quiet)
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
