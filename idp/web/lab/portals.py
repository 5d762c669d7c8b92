"""The pages of the demo portals: a door, a way out to the login, and what came back."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, session
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response as Answer

from idp.domain.parties import Profile, Service
from idp.lab import portal_oidc, portal_saml
from idp.lab.portal_oidc import Asked, Flow
from idp.lab.portals import Portal
from idp.lab.received import Ending, Received
from idp.protocols.oidc import documents as oidc_documents
from idp.protocols.saml import documents as saml_documents
from idp.protocols.saml.dialects import DIALECTS
from idp.protocols.saml.names import Binding
from idp.services.work import Office
from idp.web.shell.headers import allow_form_to
from idp.web.shell.locale import spoken
from idp.web.texts.portals import CHECK_TEXTS, RAW_TEXTS, meaning, status_meaning

_KEPT = "portals"
_MOST_KEPT = 6


def blueprint(office: Office, portals: tuple[Portal, ...]) -> Blueprint:
    """Everything below /lab/portal. Only relying parties' own returns come in by POST; they carry their own proof."""
    pages = Blueprint("portals", __name__, url_prefix="/lab/portal")
    views = _PortalViews(office, {portal.slug: portal for portal in portals})
    pages.add_url_rule("/<slug>", endpoint="door", view_func=views.door)
    pages.add_url_rule("/<slug>/saml/start", endpoint="saml_start", view_func=views.saml_start)
    pages.add_url_rule("/<slug>/saml/acs", endpoint="saml_acs", view_func=views.saml_acs, methods=["POST"])
    pages.add_url_rule("/<slug>/oidc/start", endpoint="oidc_start", view_func=views.oidc_start)
    pages.add_url_rule("/<slug>/oidc/callback", endpoint="oidc_callback", view_func=views.oidc_callback)
    return pages


class _PortalViews:
    """The views of every portal; what is under way is kept in the browser's signed session."""

    def __init__(self, office: Office, portals: Mapping[str, Portal]) -> None:
        self._office = office
        self._portals = portals
        self._read_at: int | None = None
        self._read()

    def _read(self) -> None:
        """Read our metadata again when our keys changed, as a portal elsewhere does every day."""
        version = self._office.keys.version
        if version == self._read_at:
            return
        metadata, oidc = saml_documents(self._office), oidc_documents(self._office)
        self._saml = {
            profile: portal_saml.read_provider(metadata[dialect.metadata_path][1])
            for profile, dialect in DIALECTS.items()
        }
        self._oidc = portal_oidc.read_provider({path: body for path, (_, body) in oidc.items()})
        self._read_at = version

    def door(self, slug: str) -> str:
        """The start page of a portal."""
        portal = self._portal(slug)
        return render_template("lab/portal.html", portal=self._view(portal), **_starts(portal))

    def saml_start(self, slug: str) -> Response | Answer:
        """Send the person away with a signed AuthnRequest, by POST or by Redirect as the portal does."""
        portal = self._portal(slug)
        provider = self._saml[portal.plan.profile]
        relay, request_id = self._random(), f"_{self._random()}"
        _keep(relay, {"slug": slug, "request": request_id})
        attributes = self._attributes(portal) if "personal" in request.args else ()
        message = portal_saml.request(portal, provider, request_id, self._office.clock.now(), attributes)
        if portal.plan.redirects:
            return redirect(portal_saml.by_redirect(portal, provider, message, relay), 303)
        action = provider.locations[Binding.POST]
        allow_form_to(action)
        fields = [("SAMLRequest", portal_saml.by_post(portal, message)), ("RelayState", relay)]
        return Response(
            render_template("lab/send.html", portal=self._view(portal), action=action, fields=fields),
            content_type="text/html; charset=utf-8",
        )

    def saml_acs(self, slug: str) -> str:
        """Receive a SAMLResponse; one whose request this browser did not send is not believed."""
        portal = self._portal(slug)
        kept = _taken(request.form.get("RelayState", ""), slug)
        provider = self._saml[portal.plan.profile]
        field, now = request.form.get("SAMLResponse", ""), self._office.clock.now()
        return self._show(portal, "SAML", portal_saml.receive(portal, provider, kept.get("request", ""), field, now))

    def oidc_start(self, slug: str) -> Answer:
        """Send the person away with an authorization request."""
        portal = self._portal(slug)
        flow = Flow(self._random(), self._random(), self._random() + self._random(), self._random())
        _keep(flow.state, {"slug": slug, "nonce": flow.nonce, "verifier": flow.verifier, "proof": flow.proof})
        return redirect(portal_oidc.start(portal, self._oidc, flow, "personal" in request.args), 303)

    def oidc_callback(self, slug: str) -> str:
        """Receive a code and turn it into verified claims."""
        portal = self._portal(slug)
        state = request.args.get("state", "")
        kept = _taken(state, slug)
        known = state if kept else ""
        flow = Flow(known, kept.get("nonce", ""), kept.get("verifier", ""), kept.get("proof", ""))
        given, now = request.args.to_dict(), self._office.clock.now()
        return self._show(portal, "OIDC", portal_oidc.receive(portal, self._oidc, flow, given, self._call, now=now))

    def _show(self, portal: Portal, protocol: str, received: Received) -> str:
        starts = _starts(portal)
        values = [{"name": name, "value": value, "meaning": meaning(name)} for name, value in received.values]
        return render_template(
            "lab/received.html",
            portal=self._view(portal),
            protocol=protocol,
            outcome=received.ending.value,
            status=received.status or None,
            status_meaning=None if received.ending is Ending.GRANTED else status_meaning(received),
            values=values,
            checks=[{"label": str(CHECK_TEXTS[check]), "ok": ok} for check, ok in received.checks],
            raw=[
                {"id": f"{name}-{place}", "title": str(RAW_TEXTS[name]), "text": text}
                for place, (name, text) in enumerate(received.raw, 1)
            ],
            again={"saml": starts["start_saml"], "oidc": starts["start_oidc"]},
        )

    def _call(self, asked: Asked) -> tuple[int, bytes]:
        """Ask our own endpoints what any client asks, without a second thread: all threads may be portals at once."""
        path = asked.address.removeprefix(self._office.settings.server.base_url)
        builder = EnvironBuilder(
            path,
            self._office.settings.server.base_url,
            method=asked.method,
            headers=[*asked.headers.items()],
            data=asked.body,
        )
        try:
            answer, status, _ = run_wsgi_app(current_app.wsgi_app, builder.get_environ(), buffered=True)
        finally:
            builder.close()
        return int(status.split(" ", 1)[0]), b"".join(answer)

    def _portal(self, slug: str) -> Portal:
        self._read()
        portal = self._portals.get(slug)
        if portal is None:
            abort(404)
        return portal

    def _service(self, portal: Portal) -> Service:
        found = next((one for one in self._office.directory.services() if one.slug == portal.slug), None)
        if found is None:
            abort(404)
        return found

    def _attributes(self, portal: Portal) -> tuple[str, ...]:
        return tuple(one.name for one in self._service(portal).attributes)

    def _view(self, portal: Portal) -> dict[str, Any]:
        service = self._service(portal)
        return {
            "slug": portal.slug,
            "name": spoken(service.name),
            "provider_name": spoken(service.provider.name),
            "level_label": service.level.label,
            "description": spoken(service.description),
            "personal": bool(service.attributes),
            "encrypted": portal.plan.profile is Profile.EHERKENNING_113,
        }

    def _random(self) -> str:
        return self._office.entropy.bytes(16).hex()


def _starts(portal: Portal) -> dict[str, str]:
    """Where a login starts, at the address the portal is registered with, so that its cookies come back."""
    door = f"{portal.base_url}/lab/portal/{portal.slug}"
    return {"start_saml": f"{door}/saml/start", "start_oidc": f"{door}/oidc/start"}


def _keep(relay: str, facts: dict[str, str]) -> None:
    """Remember what is under way, a few logins at most."""
    kept = dict(session.get(_KEPT, {}))
    for old in list(kept)[: max(len(kept) - _MOST_KEPT + 1, 0)]:
        del kept[old]
    session[_KEPT] = kept | {relay: facts}


def _taken(relay: str, slug: str) -> Mapping[str, str]:
    """What was remembered, once; empty when this browser did not begin it at this portal."""
    kept = dict(session.get(_KEPT, {}))
    facts: Mapping[str, str] = kept.pop(relay, {})
    session[_KEPT] = kept
    return facts if facts.get("slug") == slug else {}
