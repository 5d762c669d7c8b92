"""A relying party in JavaScript that is told what to do, line by line."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.fixtures.javascript import Node


class Refused(Exception):
    """The relying party did not accept what it got; the text is its reason."""


@dataclass
class Script:
    """A running script: each command is one line of JSON, and so is each answer."""

    process: subprocess.Popen[str]

    @classmethod
    def start(cls, node: Node, program: Path, settings: dict[str, Any], folder: Path) -> Self:
        """Start a script with its settings in a file."""
        file = folder / "settings.json"
        file.write_text(json.dumps(settings))
        command = [str(node.node), program.name, str(file)]
        pipe = subprocess.PIPE
        return cls(subprocess.Popen(command, cwd=program.parent, stdin=pipe, stdout=pipe, stderr=pipe, text=True))

    def ask(self, **command: Any) -> Any:
        """Send a command; answers what it did. Raises ``Refused``."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(command), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        assert line, self._last_words()
        answer = json.loads(line)
        if "refused" in answer:
            raise Refused(answer["refused"])
        return answer["done"]

    def _last_words(self) -> str:
        assert self.process.stderr is not None
        self.process.kill()
        return self.process.stderr.read()

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        self.process.wait(10)
