"""How the command line begins: as a script, as a module, and where it is interrupted at once."""

from __future__ import annotations

import subprocess
import sys
import tomllib

from tests.support import ROOT

#: Ctrl-C while a package is being imported.
INTERRUPTED = """
import sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
from {module} import {name}
{name}()
"""


def run(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_the_package_is_the_command_line() -> None:
    code, out, err = run("-m", "tuner", "--version")
    assert (code, err) == (0, "")
    assert out.startswith("tuner, version ")
    code, _, err = run("-m", "tuner", "nothing")
    assert code == 2
    assert "unknown command 'nothing'" in err


def test_an_interruption_of_the_imports_is_no_traceback() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    module, name = project["project"]["scripts"]["tuner"].split(":")
    assert run("-c", INTERRUPTED.format(module=module, name=name)) == (130, "", "interrupted\n")
