"""The page that carries an answer is filled in rather than rendered, and must not differ for it."""

import itertools

import pytest
from flask import Flask

from idp.protocols.message import PostForm
from idp.web.login.answer_page import AnswerPages
from idp.web.shell.http import outgoing
from idp.web.shell.views import ActingFor, AskedView
from tests.web.kit import Site

_NASTY = "<b>&amp;\"'\ue000\U0001f511</b>"
_ACTING = (None, ActingFor(_NASTY, "12345678", (), None), ActingFor("Bakker", "1", ("2", _NASTY), _NASTY))
_FIELDS = ({"SAMLResponse": "PHg+"}, {"SAMLResponse": "PHg+", "RelayState": _NASTY})


def _app(site: Site) -> Flask:
    application = site.browser.application
    flask = getattr(application, "_application", application)
    return flask.__self__  # type: ignore[no-any-return]  # the bound method knows its application


@pytest.mark.parametrize("language", ["nl", "en"])
def test_filling_in_gives_what_rendering_gives(site: Site, language: str) -> None:
    """For every shape, and with texts that need escaping, both ways give the same octets, the second time too."""
    pages = AnswerPages()
    cases = itertools.product(("granted", "refused", "cancelled"), _ACTING, (None, _NASTY), _FIELDS)
    with _app(site).test_request_context(f"/?lang={language}"):
        for outcome, acting, description, fields in cases:
            form = PostForm(f"https://portal.example.test/acs?{_NASTY}", fields)
            asked = AskedView(_NASTY, "Gemeente", "EH3", description, portal=description is None)
            rendered = outgoing(form, asked=asked, outcome=outcome, acting_for=acting).get_data(as_text=True)
            for _ in range(2):
                assert pages.page(form, asked, outcome, acting) == rendered


def test_a_faulty_request_is_answered_on_a_page(site: Site) -> None:
    """A request that is answered with its fault has no service to name, and still a page with a button."""
    with _app(site).test_request_context("/"):
        page = outgoing(PostForm("https://portal.example.test/acs", {"SAMLResponse": "PHg+"})).get_data(as_text=True)
    assert 'action="https://portal.example.test/acs"' in page
    assert 'data-testid="continue"' in page
