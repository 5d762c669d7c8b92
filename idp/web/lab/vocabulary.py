"""The page of the laboratory that shows what pages of tasks are made of."""

from flask import render_template

from idp.domain.passwords import CLASSIC
from idp.web.shell.forms import showing
from idp.web.texts.passwords import rules_of

_MANY = tuple(f"Voorbeeld {number} B.V." for number in range(1, 9))


def vocabulary() -> str:
    """Every part once, with a form that came back with mistakes."""
    sent = showing(email="anna@voorbeeld")
    filled = sent.fail("V03", "email").fail("MISSING", "name").fail("MISSING", "language")
    return render_template("lab/vocabulary.html", filled=filled, rules=rules_of(CLASSIC), many=_MANY)
