"""The pages for one's own responder: pairing another, recovery codes, and what one has (F34 to F36, R7)."""

import segno
from flask import Blueprint, Response, request, session

from idp.services.authentication.presence import Present
from idp.services.mail.notices import Notice, announce
from idp.services.second_factor import pairing
from idp.services.second_factor.pairing import Entitled, Fault, Offer, PairingFault
from idp.services.second_factor.recovery_codes import codes_left, make_codes
from idp.services.second_factor.responders import own
from idp.services.work import Office
from idp.web.own.loss import PAIR, PERMIT
from idp.web.own.pages import OwnPages
from idp.web.shell.cookies import Cookies
from idp.web.shell.forms import EMPTY, Field, Filled, read
from idp.web.shell.http import source
from idp.web.texts.told import hour

_TICKET = "pairing-app"


def _digits(text: str) -> str | None:
    digits = "".join(text.split())
    return digits if digits.isascii() and digits.isdecimal() and len(digits) in (6, 8) else None


_APP = (Field("app-code", _digits, wrong="R14", secret=True, longest=12),)
_AGAIN = Field("app-next", _digits, wrong="R14", secret=True, optional=True, longest=12)
_DEVICE = (
    Field("serial", longest=60),
    Field("device-code", _digits, wrong="R14", secret=True, longest=12),
    Field("device-next", _digits, wrong="R14", secret=True, optional=True, longest=12),
)
_CODE_FIELD = {"app": "app-code", "device": "device-code"}


def blueprint(office: Office, cookies: Cookies) -> Blueprint:
    """The addresses of one's own responder."""
    pages = Blueprint("responders", __name__)
    views = _Views(office, cookies)
    both = ["GET", "POST"]
    pages.add_url_rule(PAIR, endpoint="pair", view_func=views.pair, methods=both)
    pages.add_url_rule("/profiel/responder", endpoint="own", view_func=views.own, methods=both)
    return pages


class _Views(OwnPages):
    """The views of one's own responder."""

    def pair(self) -> Response:
        """Pair an app or a device: with the second factor, or with a permit beside the password."""
        moved = self.put_away(PERMIT, PAIR)
        if moved is not None:
            return moved
        who = self.who()
        if who is None:
            return self.log_in_first()
        claim = Entitled(who, session.get(PERMIT, ""), source())
        if not pairing.entitled(self._office, claim):
            return self.page("no-permit", status=403)
        step = request.form.get("step", "") if request.method == "POST" else ""
        if step == "app":
            return self._app(claim)
        return self._device(claim) if step == "device" else self._pairing(who)

    def own(self) -> Response:
        """What one has, and new recovery codes (behind the second factor)."""
        who = self.who()
        if who is None:
            return self.log_in_first()
        if request.method == "POST" and request.form.get("step") == "codes":
            if not who.strong:
                return self.step_up_first()
            with self._office.work("person") as work:
                codes = make_codes(work, who.account)
                announce(work, who.account, Notice.RECOVERY_CODES_MADE)
            return self.page("codes", codes=codes, paired=False)
        with self._office.reading() as connection:
            left = codes_left(connection, who.account)
            held = own(connection, who.account)
        return self.page("own", responders=held, codes_left=left, strong=who.strong)

    def _app(self, claim: Entitled) -> Response:
        filled = read(request.form, (*_APP, _AGAIN))
        if filled.problems:
            return self._pairing(claim.who, filled, 422)
        codes = filled["app-code"], filled["app-next"]
        found = pairing.pair_app(self._office, claim, session.get(_TICKET, ""), codes)
        return self._paired(claim.who, filled, found, "app")

    def _device(self, claim: Entitled) -> Response:
        filled = read(request.form, _DEVICE)
        if filled.problems:
            return self._pairing(claim.who, filled, 422)
        codes = filled["device-code"], filled["device-next"]
        found = pairing.pair_device(self._office, claim, filled["serial"], codes)
        return self._paired(claim.who, filled, found, "device")

    def _paired(self, who: Present, filled: Filled, found: tuple[str, ...] | Fault, kind: str) -> Response:
        if not isinstance(found, Fault):
            session.pop(PERMIT, None)
            session.pop(_TICKET, None)
            return self.page("codes", codes=found, paired=True)
        if found.why is PairingFault.NOT_ALLOWED:
            return self.page("no-permit", status=403)
        if found.until is not None:
            return self._pairing(who, filled.fail("L05", time=hour(found.until)), 429)
        asked = kind if found.why is PairingFault.OUT_OF_STEP else ""
        code = "R15" if asked else found.why.value
        return self._pairing(who, filled.fail(code, _CODE_FIELD[kind]), 422, asked)

    def _pairing(self, who: Present, filled: Filled = EMPTY, status: int = 200, asks_next: str = "") -> Response:
        offer = self._offer(who)
        picture = segno.make(offer.uri, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff")
        return self.page("pair", filled, status, offer=offer, picture=picture, asks_next=asks_next)

    def _offer(self, who: Present) -> Offer:
        """The app on offer: the same one as long as it lasts, so that a scanned code stays right."""
        found = pairing.offer_of(self._office, who, session.get(_TICKET, ""))
        if found is None:
            session[_TICKET] = pairing.new_offer(self._office, who)
            found = pairing.offer_of(self._office, who, session[_TICKET])
        if found is None:
            raise LookupError("the account of this offer is closed")
        return found
