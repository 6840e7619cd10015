"""Which folder may import which, read from the source; and what `tuner --help` costs."""

from __future__ import annotations

import ast
import os
import resource
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tuner"

#: Folders of one level do not import each other; every other import goes to a lower level.
LEVELS = [
    {"lazy", "limits", "masking", "resources", "text"},
    {"errors"},
    {"files", "kept", "registry", "parameters"},
    {"code", "embeddings", "optimizers"},
    {"schedules"},
    {"data", "spaces"},
    {"planning"},
    {"training"},
    {"storage"},
    {"study"},
    {"search"},
    {"workers", "doctor", "forecast", "results"},
    {"export", "progress"},
    {"sklearn"},
    {"api"},
    {"cli"},
]
LEVEL = {folder: level for level, folders in enumerate(LEVELS) for folder in folders}
#: What only those who compute may import, and only in these folders.
HEAVY = {"tensorflow", "keras"}
#: What `tuner --help` must not load.
SLOW = ["tensorflow", "keras", "optuna", "sklearn", "pandas", "sqlalchemy", "numpy", "scipy"]


@dataclass(frozen=True)
class Import:
    """`file` imports the absolute module `name`; `top`: when the file is imported, not later."""

    file: Path
    line: int
    name: str
    top: bool

    @property
    def folder(self) -> str:
        return self.file.relative_to(PACKAGE).parts[0].removesuffix(".py")

    @property
    def target(self) -> str:
        """The folder of `tuner` that is imported; empty for another package."""
        parts = self.name.split(".")
        return parts[1] if parts[0] == "tuner" and len(parts) > 1 else ""

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.name}"


def imports_of(file: Path) -> Iterator[Import]:
    """Every import statement of a file, those inside functions included; not those under
    `if TYPE_CHECKING`, which import nothing."""

    def walk(node: ast.AST, top: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(file, child.lineno, alias.name, top)
            elif isinstance(child, ast.ImportFrom):
                package = ".".join(file.relative_to(ROOT).parts[: -child.level])
                base = ".".join(filter(None, [package if child.level else "", child.module or ""]))
                for alias in child.names:
                    # `from tuner import data` names a folder in its last part.
                    name = f"{base}.{alias.name}" if base == "tuner" else base
                    yield Import(file, child.lineno, name, top)
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                for other in child.orelse:
                    yield from walk(ast.Module([other], []), top)
            else:
                inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from walk(child, top and not inside)

    yield from walk(ast.parse(file.read_text(encoding="utf-8")), True)


IMPORTS = [
    found
    for file in sorted(PACKAGE.rglob("*.py"))
    if "_shipped" not in file.parts
    for found in imports_of(file)
]


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    """The reader itself: a reader that sees nothing would pass every other test."""
    file = PACKAGE / "data" / "imagined.py"
    source = "\n".join(
        [
            "import tuner.training.x as y",
            "from tuner import search",
            "from .sources import z",
            "from ..results import z",
            "if TYPE_CHECKING:\n    import keras",
            "def f():\n    try:\n        from tuner.cli.main import main\n    except E: ...",
            "class C:\n    import optuna",
        ]
    )

    class Imagined(type(file)):  # type: ignore[misc]
        def read_text(self, **_: object) -> str:
            return source

    found = [(i.name, i.target, i.top) for i in imports_of(Imagined(file))]
    assert found == [
        ("tuner.training.x", "training", True),
        ("tuner.search", "search", True),
        ("tuner.data.sources", "data", True),
        ("tuner.results", "results", True),
        ("tuner.cli.main", "cli", False),
        ("optuna", "", True),
    ]


def test_every_folder_has_its_level() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders <= set(LEVEL), "give a new folder its place in LEVELS"


def test_imports_go_one_way() -> None:
    assert len(IMPORTS) > 100
    wrong = [
        str(found)
        for found in IMPORTS
        if found.target in LEVEL
        and found.folder in LEVEL
        and found.target != found.folder
        and LEVEL[found.target] >= LEVEL[found.folder]
    ]
    assert wrong == []


def modules_imported(source: str, known: Collection[str]) -> set[str]:
    """The `known` modules that a file imports anywhere: under `if TYPE_CHECKING` and inside
    functions too."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "write imports in full"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names if names <= set(known) else {node.module, *names}
    return found & set(known)


def test_types_and_late_imports_are_seen() -> None:
    source = (
        "if TYPE_CHECKING:\n    from a.b import C\ndef f():\n    import a.d\n    from a import e"
    )
    assert modules_imported(source, ["a", "a.b", "a.d", "a.e"]) == {"a.b", "a.d", "a.e"}


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
        for file in PACKAGE.rglob("*.py")
        if "_shipped" not in file.parts
    }
    imports = {
        name: modules_imported(file.read_text(encoding="utf-8"), modules)
        for name, file in modules.items()
    }
    assert sum(map(len, imports.values())) > 500
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" is imported by ".join(error.args[1]))


def test_results_never_import_training() -> None:
    wrong = [str(i) for i in IMPORTS if i.folder == "results" and i.target == "training"]
    assert wrong == []


def test_only_search_knows_both_optuna_and_training() -> None:
    both = {
        folder
        for folder in LEVEL
        if folder != "cli"
        and any(i.folder == folder and i.name.split(".")[0] == "optuna" for i in IMPORTS)
        and any(i.folder == folder and i.target == "training" for i in IMPORTS)
    }
    # `sklearn` is a second face of the search: StudySearchCV asks Optuna, scikit-learn's way.
    assert both <= {"search", "workers", "sklearn"}


def test_only_those_who_train_or_export_import_keras() -> None:
    wrong = [
        str(found)
        for found in IMPORTS
        if found.name.split(".")[0] in HEAVY
        and found.folder not in ("training", "export", "search", "sklearn")
        and not (found.folder == "data" and not found.top)
    ]
    assert wrong == []


def test_layers_and_optimizers_need_keras_alone() -> None:
    """The network and its update run on every backend of Keras; only the loop is TensorFlow's."""
    portable = ("layers", "optimizers", "network.py")
    imports = [
        i
        for i in IMPORTS
        if i.folder == "training" and i.file.relative_to(PACKAGE).parts[1] in portable
    ]
    assert any(i.name == "keras" for i in imports)
    wrong = [str(i) for i in imports if i.top and i.name.split(".")[0] == "tensorflow"]
    assert wrong == []


def test_commands_import_heavy_things_inside_their_bodies() -> None:
    light = {*sys.stdlib_module_names, "click"}
    wrong = [
        str(found)
        for found in IMPORTS
        if found.folder == "cli"
        and found.top
        and found.name.split(".")[0] not in light
        and found.target
        not in ("cli", "errors", "limits", "masking", "progress", "text", "__version__")
    ]
    assert wrong == []


def run_python(code: str) -> tuple[str, float]:
    """What a fresh interpreter prints for `code`, and the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


HELP = """
import sys
import tuner.cli.main
try:
    tuner.cli.main.main(["--help"])
except SystemExit as end:
    assert end.code in (0, None), end.code
"""


def test_help_loads_nothing_slow() -> None:
    output, _ = run_python(f"{HELP}\nprint([m for m in {SLOW} if m in sys.modules])")
    assert "optimize" in output
    assert output.splitlines()[-1] == "[]"


def test_folders_that_need_no_network_load_no_tensorflow() -> None:
    """All in one process: the first that loads it is named."""
    packages = "planning storage study search workers results spaces data"
    code = (
        f"import importlib, sys\nfor name in {packages.split()}:\n"
        "    importlib.import_module(f'tuner.{name}')\n"
        f"    print(name, [m for m in {sorted(HEAVY)} if m in sys.modules])"
    )
    assert run_python(code)[0] == "".join(f"{name} []\n" for name in packages.split())


READ = """
import sys
from tuner.cli.main import main
try:
    main({command})
except SystemExit as end:
    assert end.code in (0, None), end.code
print([m for m in {slow} if m in sys.modules])
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished study `study` of `a.json`."""
    from bench.commands import finish, write_study

    folder = tmp_path_factory.mktemp("finished")
    write_study(folder / "a.json", 2)
    finish(f"sqlite:///{folder}/a.db", "study", 2)
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ["studies", "list"],
        ["results", "study", "--top", "5"],
        ["best", "study"],
        ["optimize", "--study", "a.json", "--name", "study"],
    ],
    ids=lambda command: command[0],
)
def test_commands_with_nothing_to_compute_load_nothing_that_does(
    command: list[str], finished: Path
) -> None:
    given = [str(finished / part) if part == "a.json" else part for part in command]
    given += ["--storage", f"sqlite:///{finished}/a.db"]
    slow = [*sorted(HEAVY), "sklearn", "pandas", "scipy", "alembic", "sqlalchemy"]
    if command[0] != "optimize":
        slow += ["psutil", "pydantic", "ruamel", "rich"]
    output, _ = run_python(READ.format(command=given, slow=slow))
    assert output.splitlines()[-1] == "[]"


def test_help_costs_under_0_3_seconds_of_cpu() -> None:
    bare = min(run_python("pass")[1] for _ in range(5))
    helped = min(run_python(HELP)[1] for _ in range(5))
    assert helped - bare < 0.3, f"{helped - bare:.3f} s"
