"""Cases of the decision as Hypothesis draws them, and everything that makes one weaker."""

from collections.abc import Iterator

from hypothesis import strategies as st

from tests.unit.oracle import DAYS, GAP_RUNS, LADDER, SPEAKS, STATE, TERM_OVER, Case, Linked, Mandated

BRANCHES = ("", "X", "Y", "XY")
PROOFS = ("", "p", "po", "pc", "poc")
MANDATES = st.builds(
    Mandated,
    st.sampled_from(list(SPEAKS)),
    st.sampled_from(list(LADDER)),
    st.sampled_from(BRANCHES),
    st.sampled_from(list(DAYS)),
)
LINKS = st.builds(Linked, MANDATES, st.sampled_from(["both", "client", "intermediary", "none"]))
MOSTLY_WELL = st.one_of(st.just("active"), st.sampled_from(list(STATE)))
CASES = st.builds(
    Case,
    asked=st.sampled_from(list(LADDER)),
    restricts=st.booleans(),
    chains=st.booleans(),
    proofs=st.sampled_from(PROOFS),
    level=st.sampled_from(list(LADDER)),
    status=MOSTLY_WELL,
    term=st.one_of(st.just("to run"), st.sampled_from(list(TERM_OVER))),
    gap=st.one_of(st.just("none"), st.sampled_from(list(GAP_RUNS))),
    listed=st.one_of(st.just(True), st.booleans()),
    has=st.sampled_from(["", "o", "c", "oc"]),
    registered=st.sampled_from(["", "X"]),
    mandates=st.lists(st.one_of(st.just(Mandated()), MANDATES), max_size=3).map(tuple),
    chain=st.one_of(st.just(()), st.lists(st.one_of(st.just(Linked()), LINKS), max_size=4).map(tuple)),
    shape=st.just("sound"),
)

LOWER = dict(zip(list(LADDER)[1:], list(LADDER), strict=False))
NARROWER = {"": ("X", "Y", "XY"), "XY": ("X", "Y"), "X": (), "Y": ()}
LESS = {"poc": ("po", "pc", "p"), "po": ("p",), "pc": ("p",), "p": ("",), "": ()}
ILL = [status for status in STATE if status != "active"]


def weaker_mandates(mine: Mandated) -> Iterator[Mandated]:
    """A lower level, a narrower reach, or days that have run out."""
    if mine.level in LOWER:
        yield mine._replace(level=LOWER[mine.level])
    yield from (mine._replace(branches=branches) for branches in NARROWER[mine.branches])
    yield from (mine._replace(days=days) for days in DAYS if DAYS[days])
    yield mine._replace(scope="another service")


def weaker(case: Case) -> Iterator[Case]:
    """Every case in which one thing about the means, the proof or the authority is worse."""
    yield from (case._replace(proofs=proofs) for proofs in LESS[case.proofs])
    yield from (case._replace(has=case.has.replace(letter, "")) for letter in case.has)
    if case.level in LOWER:
        yield case._replace(level=LOWER[case.level])
    if case.status == "active":
        yield from (case._replace(status=status) for status in ILL)
    yield case._replace(term="over")
    yield case._replace(gap="until tomorrow")
    yield case._replace(listed=False)
    for place, mine in enumerate(case.mandates):
        before, after = case.mandates[:place], case.mandates[place + 1 :]
        yield case._replace(mandates=before + after)
        yield from (case._replace(mandates=(*before, less, *after)) for less in weaker_mandates(mine))
    for place, link in enumerate(case.chain):
        before, after = case.chain[:place], case.chain[place + 1 :]
        less_links = [
            link._replace(halves="none"),
            *(link._replace(mandate=one) for one in weaker_mandates(link.mandate)),
        ]
        yield from (case._replace(chain=(*before, less, *after)) for less in less_links)
    if case.chain:
        yield case._replace(chains=False)
