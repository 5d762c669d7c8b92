"""The schema's history and the tables of the code are the same, and the audit chain cannot be rewritten."""

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from idp.domain.audit import Event
from idp.services.audit import verify
from idp.store.engine import open_engine
from idp.store.schema import differences, is_current, upgrade
