"""The programs that tests drive are the real ones."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from tests.fixtures.browser import axe_violations
from tests.fixtures.javascript import Node

_JAVASCRIPT = Path(__file__).parents[1] / "javascript"


def test_chromium_renders(page: Page) -> None:
    """Chromium runs the script of a page and tells its language."""
    page.set_content("<title>leeg</title><script>document.title = navigator.language</script>")
    assert page.title() == "nl-NL"


def test_axe_finds_what_is_wrong(page: Page) -> None:
    """A picture without alternative text is a violation, and a correct page has none."""
    good = "<html lang=nl><title>goed</title><main><h1>Goed</h1></main></html>"
    page.set_content(good)
    assert axe_violations(page) == []
    page.set_content(good.replace("</main>", "<img src=x></main>"))
    assert any(found.startswith("image-alt") for found in axe_violations(page))


def test_chromium_cannot_leave_the_machine(page: Page) -> None:
    """A name of another machine does not resolve inside the browser."""
    page.set_content("<html lang=nl><title>muur</title></html>")
    answer = page.evaluate("fetch('http://example.org/').then(() => 'reached', () => 'refused')")
    assert answer == "refused"


def test_javascript_clients_install(node: Node, javascript: Callable[[Path], Path]) -> None:
    """The locked JavaScript relying parties install and load."""
    done = node.run(javascript(_JAVASCRIPT) / "versions.js")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["node-saml", "oauth4webapi", "openid-client"]
