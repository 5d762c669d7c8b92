"""What an operator's tools ask: is the process alive, can it serve, how is it doing."""

from pathlib import Path

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import select, text

from idp.effects.presence import is_held
from idp.services.work import Office
from idp.store.ledger import AuditHead


def blueprint(office: Office) -> Blueprint:
    """``/healthz``, ``/readyz`` and ``/metrics`` (contract)."""
    pages = Blueprint("operation", __name__)

    @pages.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @pages.get("/readyz")
    def readyz() -> Response:
        with office.reading() as connection:
            connection.execute(text("SELECT 1"))
        return jsonify(status="ready", **_certificates())

    def _certificates() -> dict[str, str]:
        """Whether the certificate listener lives, where it is ours; without it everything but EH4 goes on."""
        if office.settings.own_listener is None:
            return {}
        return {"certificates": "ready" if is_held(Path(office.settings.certificates.tls_key)) else "away"}

    if not office.settings.server.production:

        @pages.get("/metrics")
        def metrics() -> Response:
            registry = CollectorRegistry()
            events = Gauge("idp_audit_events", "Events in the audit chain", registry=registry)
            with office.reading() as connection:
                events.set(connection.execute(select(AuditHead.sequence)).scalar_one())
            return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return pages
