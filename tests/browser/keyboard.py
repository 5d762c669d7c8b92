"""Going through a page by keyboard alone: what Tab comes past, in which order, and whether one sees it."""

import itertools
from typing import Any

from playwright.sync_api import Page

_FOCUSABLE = "a[href], button, input:not([type=hidden]):not([tabindex='-1']), select, summary, [tabindex='0']"
# Every control that can be seen, in the order of the page; of a group of radio buttons the chosen one, or the first:
# the arrows choose within it.
_CONTROLS = f"""() => {{
  const groups = new Set();
  const seen = [...document.querySelectorAll(`{_FOCUSABLE}`)].filter(e => e.checkVisibility() && !e.disabled);
  window.stops = seen.filter(e => {{
    if (e.type !== 'radio') return true;
    if (groups.has(e.name)) return false;
    groups.add(e.name);
    return true;
  }});
  // From the top, also where the focus stood on the summary of what is wrong.
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute('tabindex');
  window.scrollTo(0, 0);
  return window.stops.length;
}}"""
# Where the focus is now: which control, where it lies, and whether one sees both it and that it is chosen.
_HERE = """() => {
  const part = '.beside, .card, main, footer, nav, header, aside', regions = [...document.querySelectorAll(part)];
  const e = document.activeElement, s = getComputedStyle(e), box = e.getBoundingClientRect();
  const at = document.elementFromPoint(box.left + Math.min(box.width / 2, 200), box.top + box.height / 2);
  const own = x => x && (e.contains(x) || x.contains(e) || (x.closest('label')?.control === e));
  return {
    stop: window.stops.findIndex(o => o === e || (e.type === 'radio' && o.type === 'radio' && o.name === e.name)),
    what: e.tagName + ' ' + (e.dataset.testid || e.textContent.trim().slice(0, 40)),
    marked: (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2) || s.boxShadow !== 'none',
    uncovered: box.height > innerHeight || (box.top >= -1 && box.bottom <= innerHeight + 1 && own(at)),
    region: regions.indexOf(e.closest(part)),
    left: box.left, top: box.top + scrollY, bottom: box.bottom + scrollY,
  };
}"""


def check_keyboard(page: Page) -> None:
    """Tab comes past every control once, in reading order, shows where it is, and leaves the page both ways.

    WCAG 2.2: 2.1.1, 2.1.2, 2.4.3, 2.4.7, 2.4.11.
    """
    wanted = page.evaluate(_CONTROLS)
    stops: list[dict[str, Any]] = []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(_HERE))
    assert [one["stop"] for one in stops] == list(range(wanted)), [one["what"] for one in stops]
    unmarked = [one["what"] for one in stops if not one["marked"]]
    covered = [one["what"] for one in stops if not one["uncovered"]]
    back = [(one["what"], other["what"]) for one, other in itertools.pairwise(stops) if _back(one, other)]
    assert (unmarked, covered, back) == ([], [], []), (unmarked, covered, back)
    for _ in range(wanted - 1):
        page.keyboard.press("Shift+Tab")
    assert page.evaluate(_HERE)["stop"] == 0


def _back(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether the eye jumps back: up within one column of a part, or left within a line."""
    if one["region"] != other["region"]:
        return False
    above = other["bottom"] <= one["top"] + 1
    beside = other["top"] < one["bottom"] - 1 and one["top"] < other["bottom"] - 1
    return bool(above or (beside and other["left"] < one["left"] - 1))
