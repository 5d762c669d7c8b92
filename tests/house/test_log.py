"""Log lines reach standard error as it is when they are written."""

import contextlib
import io
import json

import structlog

from idp.web.shell import log


def test_a_logger_outlives_a_stream_put_in_place_of_standard_error() -> None:
    """What was first used while standard error stood elsewhere writes to where it stands now."""
    told = structlog.get_logger("idp.test")
    log.configure()
    with contextlib.redirect_stderr(io.StringIO()) as first:
        told.info("first")
    first.close()
    with contextlib.redirect_stderr(io.StringIO()) as second:
        told.info("second", lines=["a", "é"])
    line = json.loads(second.getvalue())
    assert (line["event"], line["level"], line["lines"]) == ("second", "info", ["a", "é"])
