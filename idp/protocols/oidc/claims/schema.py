"""The published description of our claims, by version: an address that stays, and a JSON Schema behind it."""

import json
from pathlib import Path
from typing import Any, Final

from idp.protocols.oidc.endpoints import Endpoint, address
from idp.services.work import Office

KIND: Final = "application/schema+json"
_FOLDER: Final = Path(__file__).parent / "schemas"


def claims_schema(office: Office) -> dict[str, Any]:
    """The schema of the newest version, which names itself by its address."""
    schema: dict[str, Any] = json.loads((_FOLDER / "claims-1.json").read_text(encoding="utf-8"))
    return {"$schema": schema["$schema"], "$id": address(office, Endpoint.CLAIMS_SCHEMA), **schema}
