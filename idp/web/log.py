"""Structured log lines on standard error: one JSON object each, never pasted strings (SEC-7)."""

import io
import logging
import sys

import structlog


class _StandardError(io.TextIOBase):
    """Standard error as it is when a line is written: a logger outlives a stream put in its place for a while."""

    def write(self, line: str, /) -> int:
        return sys.stderr.write(line)

    def flush(self) -> None:
        sys.stderr.flush()


def configure() -> None:
    """Send every log line, ours and the libraries', to standard error as JSON."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(_StandardError()),
        cache_logger_on_first_use=True,
    )
