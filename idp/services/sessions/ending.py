"""Ending at once what an account has open anywhere (SEC-30)."""

from idp.services.sessions.kept import end_all
from idp.services.tickets import Purpose, void
from idp.services.tokens.grants import revoke_all
from idp.services.turns import lock_account
from idp.services.work import Work


def end_everything(work: Work, account: str) -> None:
    """End its sessions, its authorizations with their codes and tokens, and answers that nobody has fetched yet."""
    lock_account(work, account)
    end_all(work, account)
    revoke_all(work, account)
    void(work, account, Purpose.SAML_ARTIFACT)
