"""An assertion as it is stored until it has been fetched."""

import json
from datetime import datetime
from typing import Any

from idp.domain.assertion import Assertion, Basis, LegalSubject, Served
from idp.domain.assurance import Factor, Level
from idp.domain.identifiers import BranchNumber, KvkNumber, Rsin, ServiceUrn, ServiceUuid


def assertion_text(assertion: Assertion) -> str:
    """An assertion as JSON."""
    basis = assertion.basis
    return json.dumps(
        {
            "subject": assertion.subject,
            "level": assertion.level.name,
            "principal": _legal_json(assertion.principal),
            "branches": assertion.branches,
            "subdossiers": assertion.subdossiers,
            "intermediaries": [_legal_json(one) for one in assertion.intermediaries],
            "authenticated_at": assertion.authenticated_at.isoformat(),
            "attributes": assertion.attributes,
            "session": assertion.session,
            "services": [[one.urn, one.uuid] for one in assertion.services],
            "basis": [basis.account, basis.way, sorted(basis.factors), sorted(basis.consented)],
        }
    )


def assertion_of_text(text: str) -> Assertion:
    """The assertion that ``assertion_text`` wrote."""
    stored = json.loads(text)
    account, way, factors, consented = stored["basis"]
    return Assertion(
        subject=stored["subject"],
        level=Level[stored["level"]],
        principal=_legal(stored["principal"]),
        branches=tuple(BranchNumber(one) for one in stored["branches"]),
        intermediaries=tuple(map(_legal, _intermediaries(stored))),
        authenticated_at=datetime.fromisoformat(stored["authenticated_at"]),
        attributes=stored["attributes"],
        session=stored["session"],
        subdossiers=tuple(stored.get("subdossiers", ())),
        services=tuple(Served(ServiceUrn(urn), ServiceUuid(uuid)) for urn, uuid in stored.get("services", ())),
        basis=Basis(account, way, frozenset(Factor(one) for one in factors), frozenset(consented)),
    )


def _intermediaries(stored: dict[str, Any]) -> list[list[Any]]:
    """Also of what was stored when an assertion named one intermediary at most."""
    if "intermediaries" in stored:
        return list(stored["intermediaries"])
    return [stored["intermediary"]] if stored["intermediary"] else []


def _legal_json(subject: LegalSubject) -> list[str | None]:
    return [subject.kvk, subject.rsin, subject.name]


def _legal(stored: list[Any]) -> LegalSubject:
    kvk, rsin, name = stored
    return LegalSubject(KvkNumber(kvk), Rsin(rsin) if rsin else None, name)
