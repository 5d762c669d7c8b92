"""The jobs of the worker."""

import time
from typing import Any

import structlog

from idp.cli.sources import fetcher_of
from idp.effects.courier import BackChannel
from idp.effects.fetch import Bounds, GuardedFetcher
from idp.effects.postman import postman_of
from idp.protocols.oidc.client.refresh import refresh_keys_due
from idp.protocols.oidc.logout.herald import Herald
from idp.protocols.saml.metadata.refresh import refresh_due
from idp.services.own_keys.lives import keep_dates
from idp.services.schedule import Job, Schedule
from idp.services.sweep import sweep
from idp.services.work import Office

_EVERY_SECONDS = 60
# People wait for their mail.
_MAIL_EVERY_SECONDS = 5
_SLOWEST_CLIENT = 5.0


def run() -> None:
    """Do for ever what is due, with the settings of whoever started this process; what was done is told in the log."""
    # The composition root is loaded in the process of the worker alone.
    from idp.office import inherited, open_office
    from idp.web.shell import log

    log.configure()
    schedule, told = schedule_of(open_office(inherited())), structlog.get_logger("idp.worker")
    while True:
        for name, did in schedule.run_due().items():
            if any(did.values()):
                told.info("job_done", job=name, **did)
        time.sleep(schedule.seconds_left())


def schedule_of(office: Office) -> Schedule:
    """Everything that has to be done now and then."""
    fetcher = fetcher_of(office)
    jobs = (
        Job("expired", _EVERY_SECONDS, lambda: _expired(office)),
        Job("mail", _MAIL_EVERY_SECONDS, postman_of(office).deliver_due),
        Job("keys", _EVERY_SECONDS, lambda: _dates(office)),
        Job("providers", _EVERY_SECONDS, lambda: refresh_due(office, fetcher)),
        Job("clients", _EVERY_SECONDS, lambda: refresh_keys_due(office, fetcher)),
        Job("logouts", _MAIL_EVERY_SECONDS, Herald(office, _courier(office)).deliver_due),
    )
    return Schedule(jobs, time.monotonic)


def _expired(office: Office) -> dict[str, Any]:
    swept = sweep(office)
    return {name: getattr(swept, name) for name in swept.__slots__}


def _dates(office: Office) -> dict[str, Any]:
    with office.work("worker") as work:
        return dict(keep_dates(work))


def _courier(office: Office) -> BackChannel:
    """Brings logout tokens, one at a time; a slow client holds up the others only briefly."""
    bounds = Bounds(seconds=_SLOWEST_CLIENT, laboratory=office.settings.lab.enabled)
    return BackChannel(GuardedFetcher(bounds, time.monotonic), 1)
