"""docs/guide-oidc.md, followed to the letter: each piece of code is run as it stands there."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.conformance.person import Person
from tests.fixtures.javascript import Node
from tests.fixtures.network import free_port
from tests.fixtures.sandbox import Demo

HERE = Path(__file__).parent
GUIDE = HERE.parents[1] / "docs" / "guide-oidc.md"
BLOCKS = dict(re.findall(r"^```[a-z]+ (\S+)\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL))
LOGIN = {"flask": "/login", "django": "/oidc/authenticate/", "express": "/login"}


@dataclass(frozen=True)
class Application:
    """A running application of the guide."""

    url: str
    login: str
    demo: Demo

    def go(self, person: Person, path: str) -> requests.Response:
        """What a browser sees at a path."""
        return person.session.get(self.url + path, timeout=60)

    def log_in(self, person: Person) -> requests.Response:
        """Where a browser ends that logs in."""
        sent = person.session.get(self.url + self.login, allow_redirects=False, timeout=60)
        back = person.visit(sent.headers["Location"])
        assert isinstance(back, str)
        assert back.startswith(self.url)
        return person.session.get(back, timeout=60)

    def log_out(self, person: Person, page: str) -> requests.Response:
        """Press what the page offers for it."""
        if "<form" not in page:
            return self.go(person, "/logout")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None
        fields = {"csrfmiddlewaretoken": token.group(1)}
        return person.session.post(self.url + "/oidc/logout/", data=fields, timeout=60)


@contextmanager
def served(commands: list[list[str]], folder: Path, environ: Mapping[str, str], url: str) -> Iterator[None]:
    """The last command running, after the others, until its address answers."""
    for command in commands[:-1]:
        subprocess.run(command, cwd=folder, env=environ, check=True, timeout=120, capture_output=True)
    log = folder / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(commands[-1], cwd=folder, env=environ, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, "it never answered: " + log.read_text()[-3000:]
            try:
                requests.get(url, timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.2)
        yield
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture(scope="module", params=list(LOGIN))
def application(
    request: pytest.FixtureRequest,
    demo: Demo,
    environment: Callable[[Path], Path],
    node: Node,
    javascript: Callable[[Path], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Application]:
    """Each application, registered and started by the code of the guide, in an environment with just its packages."""
    demo.reset()
    kind, port, folder = request.param, free_port(), tmp_path_factory.mktemp("guide")
    url = f"http://localhost:{port}"
    if kind == "express":
        # Packages are found upwards from a script.
        folder = javascript(HERE.parent / "javascript") / "guide" / str(port)
        folder.mkdir(parents=True)
        commands = [[str(node.node), "express_app.mjs"]]
    else:
        python = str(environment(HERE / kind))
        commands = [[python, "flask_app.py"]]
    if kind == "django":
        start = [python, "django_site.py"]
        commands = [[*start, "migrate"], [*start, "runserver", "--noreload", f"localhost:{port}"]]
    for name, text in BLOCKS.items():
        (folder / name).write_text(text)
    environ = {**os.environ, "IDP": demo.base_url, "PORT": str(port), **exported(folder, demo, url)}
    with served(commands, folder, environ, url):
        yield Application(url, LOGIN[kind], demo)
    shutil.rmtree(folder)


def exported(folder: Path, demo: Demo, url: str) -> dict[str, str]:
    """What the guide's registration tells the shell to set."""
    command = [sys.executable, "register.py", url]
    environ = os.environ | {"IDP": demo.base_url}
    done = subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("export ")
    return dict(one.split("=", 1) for one in done.stdout.removeprefix("export ").split())


def test_anna_logs_in_and_out(application: Application) -> None:
    """The page tells for which company she acts; after logging out neither the application nor we know her."""
    anna = Person(application.demo, "anna")
    assert "Log in" in application.go(anna, "/").text
    (organisation,) = anna.facts["organisations"]  # type: ignore[misc]
    page = application.log_in(anna).text
    assert f"You act for company {organisation['kvk']}" in page
    assert application.go(anna, "/").text.startswith("You act for company")
    ended = application.log_out(anna, page)
    assert ended.url == application.url + "/"
    assert "Log in" in ended.text
    sent = anna.session.get(application.url + application.login, allow_redirects=False, timeout=60)
    again = anna.session.get(sent.headers["Location"], timeout=60)
    assert 'data-page="login-password"' in again.text


def test_gijs_is_refused(application: Application) -> None:
    """A level that is too low logs nobody in, and the application says something better than an error of its own."""
    gijs = Person(application.demo, "gijs")
    answer = application.log_in(gijs)
    assert answer.status_code < 500
    assert "You act for company" not in application.go(gijs, "/").text


def test_every_application_is_run() -> None:
    """No piece of code in the guide with a name of its own is left out."""
    assert set(BLOCKS) == {"register.py", "flask_app.py", "django_site.py", "express_app.mjs"}
