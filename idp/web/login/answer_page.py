"""The page that carries an answer to a relying party: rendered once for each shape it can have, then filled in."""

import re
from itertools import count

from flask import render_template
from markupsafe import escape

from idp.protocols.message import PostForm
from idp.web.shell.locale import current
from idp.web.shell.views import ActingFor, AskedView

# Two characters for private use around the number of a text, as no template has them.
_HOLE = re.compile("\ue000([0-9]+)\ue001")
_Shape = tuple[object, ...]
_Outline = tuple[tuple[str, ...], tuple[int, ...]]


class AnswerPages:
    """The page in outline, by its shape: language, outcome, level and which texts there are.

    Everything that a person, a service or a message brings is a hole in the outline and is escaped when it is filled
    in. Every single sign-on by POST sends this page, and rendering it costs as much as the rest but the signatures.
    """

    def __init__(self) -> None:
        self._outlines: dict[_Shape, _Outline] = {}

    def page(self, form: PostForm, asked: AskedView, outcome: str, acting_for: ActingFor | None) -> str:
        """The page for this answer, as ``login/answer.html`` would render it."""
        about = (asked.level_label, asked.portal, _there(asked.description))
        shape = (current(), outcome, *about, *form.fields, *_shape(acting_for))
        outline = self._outlines.get(shape)
        if outline is None:
            outline = self._outlines[shape] = _outline(form, asked, outcome, acting_for)
        texts = [str(escape(text)) for text in _texts(form, asked, acting_for)]
        literals, holes = outline
        filled = [literals[0]]
        for literal, hole in zip(literals[1:], holes, strict=True):
            filled += (texts[hole], literal)
        return "".join(filled)


def _texts(form: PostForm, asked: AskedView, acting_for: ActingFor | None) -> list[str]:
    texts = [form.action, *form.fields.values(), asked.service_name, asked.provider_name, asked.description or ""]
    if acting_for is not None:
        texts += (acting_for.organisation, acting_for.kvk, acting_for.via or "", *acting_for.branches)
    return texts


def _outline(form: PostForm, asked: AskedView, outcome: str, acting_for: ActingFor | None) -> _Outline:
    """Render the template with a numbered hole for every text, in the order of ``_texts``."""
    holes = (f"\ue000{number}\ue001" for number in count())
    action, fields = next(holes), [(name, next(holes)) for name in form.fields]
    service, provider, description = next(holes), next(holes), next(holes)
    there = description if asked.description else None
    hollow_asked = AskedView(service, provider, asked.level_label, there, asked.portal)
    hollow_acting = None
    if acting_for is not None:
        organisation, kvk, via = next(holes), next(holes), next(holes)
        branches = tuple(next(holes) for _ in acting_for.branches)
        hollow_acting = ActingFor(organisation, kvk, branches, via if acting_for.via else None)
    pieces = _HOLE.split(
        render_template(
            "login/answer.html",
            action=action,
            fields=fields,
            asked=hollow_asked,
            outcome=outcome,
            acting_for=hollow_acting,
        )
    )
    return tuple(pieces[::2]), tuple(map(int, pieces[1::2]))


def _shape(acting_for: ActingFor | None) -> _Shape:
    return () if acting_for is None else (_there(acting_for.via), len(acting_for.branches))


def _there(text: str | None) -> bool:
    return bool(text)
