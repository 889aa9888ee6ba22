"""What the long-running commands share: logging, garbage collection, and stopping on signals."""

import asyncio
import gc
import logging
import signal
import sys
from typing import Any

import msgspec
import structlog

GARBAGE_OBJECTS = (
    10_000  # allocations that trigger a collection; Python's default of 700 took a tenth of the time
)

_encode = msgspec.json.Encoder(enc_hook=repr).encode


def write_logs() -> None:
    """One line for each event on stderr: columns on a terminal, JSON elsewhere."""
    on_terminal = sys.stderr.isatty()
    show = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([show] if on_terminal else [structlog.processors.format_exc_info, _as_json]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=(
            structlog.PrintLoggerFactory(sys.stderr)
            if on_terminal
            else structlog.BytesLoggerFactory(sys.stderr.buffer)
        ),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Libraries()], level=logging.WARNING, force=True)
    logging.captureWarnings(True)


class _Libraries(logging.Handler):
    """Forwards records of libraries and asyncio to structlog: one line like any other, traceback included."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger(record.name).log(
            record.levelno,
            "library_message",
            library=record.name,
            message=record.getMessage(),
            exc_info=record.exc_info,
        )


def drop_logs() -> None:
    """For short commands: they print errors themselves, and stdout is for their result."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))


def _as_json(_: Any, __: str, entry: Any) -> bytes:
    return _encode(entry)


def spare_collector() -> None:
    """Exclude all present objects from garbage collection, once a process has started.

    Modules, statements and templates are most of what the collector would scan each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, 20, 20)


def stop_on_signals() -> asyncio.Event:
    """Set at the first Ctrl-C or SIGTERM; a second one ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    return stop
