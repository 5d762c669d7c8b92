"""``python -m tests.protocol.error_table``: write docs/errors.md from the tables that serve."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from idp.domain.assertion import Denied
from idp.domain.parties import Profile
from idp.domain.reasons import REASONS, Reason
from idp.protocols.message import Redirect
from idp.protocols.oidc.request.answers import answer_without_login
from idp.protocols.oidc.request.return_address import ReturnAddress
from idp.protocols.saml.dialects import DIALECTS
from idp.protocols.saml.status import Problem, RequestFault, problem_of, status
from idp.web.texts.errors import ERRORS

FILE = Path(__file__).parents[2] / "docs" / "errors.md"
REFERENCE = "REFERENCE"
# IsPassive is the scheme's to forbid; a generic party may ask it.
_NEVER = {(Problem.PASSIVE, Profile.GENERIC)}
_HEAD = """# Every way in which a login ends without an answer

Written from the code by `python -m tests.protocol.error_table`; tests compare it with what goes over the wire. A
relying party hears the coarse status and our support reference, never the personal reason; the person sees the reason,
its code and the remedies. By which binding an answer goes (POST, or an artifact) makes no difference to what it says.
"""


def document() -> str:
    """The page."""
    parts = [
        _HEAD,
        "## Refusals\n",
        "What the decision or the person ends (RUL-4, RUL-33).\n",
        _table(("Reason", "Code", "generic", "eHerkenning", "OIDC error", "Remedies"), _refusals()),
        "## Faults in a request that its sender hears of\n",
        "The signature was right and the return address certain, so the fault is answered there.\n",
        _table(("Fault", "Code", "generic", "eHerkenning", "Message"), _faults()),
        "## On our own pages alone\n",
        "Either nobody can be answered, as the sender is not certain (P codes), or the login goes on (L codes).\n",
        _table(("Code", "What the person reads"), _pages()),
    ]
    return "\n".join(parts)


def refusal_cells(reason: Reason, profile: Profile) -> str:
    """The status of a refusal as the page shows it."""
    return _status(problem_of((reason,)), profile)


def fault_cells(problem: Problem, profile: Profile) -> str:
    """The status of a fault as the page shows it."""
    return "–" if (problem, profile) in _NEVER else _status(problem, profile)


def oidc_error(reason: Reason) -> str:
    """The error of a refusal at the redirect address of an OIDC client."""
    where = ReturnAddress("https://client.example.test/", "query", "", "https://idp.example.test", str)
    answer = answer_without_login(where, Denied((reason,), REFERENCE))
    if not isinstance(answer, Redirect):
        raise TypeError("the query mode redirects")
    return answer.location.partition("error=")[2].partition("&")[0]


def _refusals() -> Iterator[Sequence[str]]:
    for reason in Reason:
        facts = REASONS[reason]
        yield (
            f"`{reason}`",
            facts.code,
            refusal_cells(reason, Profile.GENERIC),
            refusal_cells(reason, Profile.EHERKENNING_113),
            f"`{oidc_error(reason)}`",
            ", ".join(one.lower().replace("_", " ") for one in facts.remedies),
        )


def _faults() -> Iterator[Sequence[str]]:
    for problem in Problem:
        code = RequestFault(problem).code
        if code:
            yield (
                problem.value.replace("-", " "),
                code,
                fault_cells(problem, Profile.GENERIC),
                fault_cells(problem, Profile.EHERKENNING_113),
                status(problem, scheme=False).message,
            )


def _pages() -> Iterator[Sequence[str]]:
    for code, text in ERRORS.items():
        yield code, str(text.title)


def _status(problem: Problem, profile: Profile) -> str:
    found = status(problem, scheme=DIALECTS[profile].scheme, reference=REFERENCE)
    return " / ".join(one.rpartition(":")[2] for one in (found.top, found.second) if one is not None)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(document())
