"""The tools that judge the code agree; ``make check`` runs them by name instead."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hygiene.tree import ROOT

_BIN = Path(sys.executable).parent
_TOOLS = {
    "format": ("ruff", "format", "--check", "--no-cache", "."),
    "lint": ("ruff", "check", "--no-cache", "."),
    "types": ("mypy",),
    "layers": ("lint-imports", "--no-cache"),
}


@pytest.mark.tools
@pytest.mark.parametrize("tool", _TOOLS)
def test_a_tool_has_nothing_to_say(tool: str) -> None:
    """Format, lint, strict types and layers are as the project wants them."""
    program, *arguments = _TOOLS[tool]
    done = subprocess.run([_BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
