"""The private names of other packages that tuner relies on: all of them, found in its source.

pyproject.toml bounds these packages by the next version that is not tested. A private name that is
not in `RELIED_ON` fails here, and so does one that the installed package has no longer.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "tuner"
FILES = [file for file in sorted(PACKAGE.rglob("*.py")) if "_shipped" not in file.parts]
PACKAGES = ("keras", "optuna", "optuna_dashboard", "sklearn", "sqlalchemy", "tensorflow")
#: Each once, where the package has it: `module`, `module:name` or `module:Class.attribute`.
RELIED_ON = [
    "keras.optimizers:Optimizer._apply_weight_decay",
    "keras.optimizers:Optimizer._clip_gradients",
    "keras.optimizers:Optimizer._get_variable_index",
    "keras.optimizers:Optimizer._iterations",
    "keras.optimizers:Optimizer._learning_rate",
    "keras.optimizers:Optimizer._tracker",
    "keras.optimizers:Optimizer._tracker",
    "keras.optimizers:Optimizer._untrack_variable",
    "keras.optimizers:Adam._momentums",
    "keras.optimizers:Adam._velocities",
    "keras.optimizers:Adam._velocity_hats",
    "keras.optimizers:Muon._should_use_adamw",
    "keras.optimizers:Nadam._u_product",
    "keras.optimizers:RMSprop._average_gradients",
    "optuna.artifacts:FileSystemArtifactStore._get_filepath",
    "optuna.pruners:HyperbandPruner._get_bracket_id",
    "optuna.samplers:GridSampler._n_min_trials",
    "optuna.samplers:QMCSampler._find_sample_id",
    "optuna.storages:GrpcStorageProxy._cache",
    "optuna.storages:GrpcStorageProxy._channel",
    "optuna.storages:GrpcStorageProxy._host",
    "optuna.storages:GrpcStorageProxy._port",
    "optuna.storages:GrpcStorageProxy._setup",
    "optuna.storages:GrpcStorageProxy._stub",
    "optuna.storages:JournalStorage._replay_result",
    "optuna.storages:JournalStorage._sync_with_backend",
    "optuna.storages:JournalStorage._thread_lock",
    "optuna.storages:RDBStorage._get_best_trial_id",
    "optuna.storages:RDBStorage._get_stale_trial_ids",
    "optuna.storages:RDBStorage._get_trials",
    "optuna.storages:RDBStorage._set_trial_value_without_commit",
    "optuna.storages:RDBStorage._version_manager",
    "optuna.storages._cached_storage:_CachedStorage",
    "optuna.storages._cached_storage:_CachedStorage._backend",
    "optuna.storages._grpc.auto_generated:api_pb2_grpc",
    "optuna.storages._grpc.client:GrpcClientCache",
    "optuna.storages._rdb.storage:_VersionManager",
    "optuna.storages._rdb.storage:_create_scoped_session",
    "optuna.storages._rdb:models",
    "optuna.storages.journal:JournalFileBackend._lock",
    "optuna.storages.journal._file:BaseJournalFileLock",
    "optuna.storages.journal._file:get_lock_file",
    "optuna.storages.journal._storage:"
    "JournalStorageReplayResult._last_created_trial_id_by_this_process",
    "optuna.storages:_rdb",
    "optuna.study:Study._storage",
    "optuna.study:Study._study_id",
    "optuna.study:Study._thread_local",
    "optuna.study._frozen:FrozenStudy",
    "optuna.trial:FrozenTrial._trial_id",
    "sklearn.callback._callback_support:CallbackSupportMixin._init_callback_context",
    "sklearn.callback._callback_support:CallbackSupportMixin._skl_callbacks",
    "sklearn.base:_fit_context",
    "sklearn.metrics._scorer:_BaseScorer._score_func",
    "sklearn.metrics._scorer:_BaseScorer._sign",
    "sklearn.metrics._scorer:_MultimetricScorer",
    "sklearn.metrics._scorer:_MultimetricScorer._scorers",
    "sklearn.model_selection._search:BaseSearchCV",
    "sklearn.model_selection._search:BaseSearchCV._check_input_parameters",
    "sklearn.model_selection._search:BaseSearchCV._check_refit_for_multimetric",
    "sklearn.model_selection._search:BaseSearchCV._checked_cv_orig",
    "sklearn.model_selection._search:BaseSearchCV._format_results",
    "sklearn.model_selection._search:BaseSearchCV._get_routed_params_for_fit",
    "sklearn.model_selection._search:BaseSearchCV._get_scorers",
    "sklearn.model_selection._search:BaseSearchCV._parameter_constraints",
    "sklearn.model_selection._search:BaseSearchCV._run_search",
    "sklearn.model_selection._search:BaseSearchCV._select_best_index",
    "sklearn.model_selection._validation:_fit_and_score",
    "sklearn.model_selection._validation:_insert_error_scores",
    "sklearn.model_selection._validation:_score",
    "sklearn.model_selection._validation:_warn_or_raise_about_fit_failures",
    "sklearn.utils._param_validation:Interval",
    "sklearn.utils.metaestimators:_safe_split",
    "sklearn.utils.multiclass:_check_partial_fit_first_call",
    "sklearn.utils.validation:_check_method_params",
    "sklearn.utils.validation:_check_sample_weight",
    "sklearn.utils.validation:_num_samples",
    "tensorflow.python.eager.context:Context._context_handle",
    "tensorflow.python.framework:ops",
    "tensorflow.python.framework.registry:Registry._registry",
]
#: Names of this form that Python documents, and tuner's own, of one file and used in another.
HARMLESS = {"os._exit", "_fields", "_replace", "_asdict", "_activity", "_check_weights"}


def is_private(name: str) -> bool:
    return bool(re.fullmatch(r"_[A-Za-z]\w*[A-Za-z0-9]", name))


def is_internal(module: str) -> bool:
    """Whether a dotted name lies in a part of one of the packages that is not public."""
    package, *parts = module.split(".")
    hidden = {"keras": "src", "tensorflow": "python"}.get(package)
    return package in PACKAGES and any(is_private(part) or part == hidden for part in parts)


def imported(tree: ast.AST) -> Iterator[str]:
    """What a file imports that is not public: `module` or `module:name`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if is_internal(alias.name))
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if is_internal(f"{node.module}.{alias.name}"):
                    yield f"{node.module}:{alias.name}"


def defined(tree: ast.AST) -> set[str]:
    """The private names that a file gives to something of its own; an annotation alone gives none,
    it tells of what a base class has."""
    declared = {
        id(node.target)
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and node.value is None
    }
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()) if id(node) not in declared:
                names.add(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                names.add(name)
    return {name for name in names if is_private(name)}


def used(tree: ast.AST, everywhere: set[str]) -> Iterator[str]:
    """Private attributes that a file uses and that are not tuner's: of `self`, which no file
    defines (`everywhere`: all that they define); of other objects, which this file does not."""
    here = defined(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if node.attr not in (everywhere if own else here) and not HARMLESS & {
                node.attr,
                ast.unparse(node),
            }:
                yield node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr"):
            names = {str(arg.value) for arg in node.args[1:2] if isinstance(arg, ast.Constant)}
            yield from {name for name in names if is_private(name)} - everywhere


def modules() -> Iterator[ModuleType]:
    for file in FILES:
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        yield import_module(".".join(parts).removesuffix(".__init__"))


@cache
def attributes(kind: type) -> set[str]:
    """The attributes of a class itself and those that its methods give to `self`."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError):
        return set(vars(kind))
    given = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    return {*vars(kind), *given}


def overridden(kind: type) -> set[str]:
    """Private attributes of a class's bases in other packages that tuner's classes replace."""
    ours: set[str] = set()
    theirs: set[str] = set()
    for base in kind.__mro__:
        package = base.__module__.split(".")[0]
        names = ours if package == "tuner" else theirs if package in PACKAGES else set()
        names |= attributes(base)
    return {name for name in ours & theirs if is_private(name)} - {"_abc_impl"}


@pytest.fixture(scope="module")
def relied_on() -> dict[str, str]:
    """Private name to one of the files that rely on it."""
    trees = {file: ast.parse(file.read_text("utf-8")) for file in FILES}
    everywhere = set().union(*map(defined, trees.values()))
    found = {
        name: str(file.relative_to(PACKAGE.parent))
        for file, tree in trees.items()
        for name in [*imported(tree), *used(tree, everywhere)]
    }
    for module in modules():
        for kind in vars(module).values():
            if isinstance(kind, type) and kind.__module__ == module.__name__:
                found |= dict.fromkeys(overridden(kind), module.__name__)
    return found


def last(listed: str, found: dict[str, str]) -> str:
    """How a listed name stands in the source: whole if imported, else its last part."""
    return listed if listed in found else listed.split(".")[-1]


def test_every_private_name_is_listed(relied_on: dict[str, str]) -> None:
    listed = {last(name, relied_on) for name in RELIED_ON}
    missing = {name: file for name, file in relied_on.items() if name not in listed}
    assert missing == {}, "add to RELIED_ON, or do without"


def test_what_is_listed_is_used(relied_on: dict[str, str]) -> None:
    assert [name for name in RELIED_ON if last(name, relied_on) not in relied_on] == []


@pytest.mark.parametrize("name", RELIED_ON)
def test_the_installed_packages_have_it(name: str) -> None:
    module, _, path = name.partition(":")
    found: Any = import_module(module)
    for part in path.split(".") if path else []:
        if isinstance(found, type):
            held = set().union(*map(attributes, found.__mro__))
            assert part in held, f"{found} has no {part}"
            found = getattr(found, part, None)
        elif not hasattr(found, part):
            found = import_module(f"{found.__name__}.{part}")
        else:
            found = getattr(found, part)


def test_private_names_are_found_wherever_they_stand() -> None:
    """The reader itself: a reader that sees nothing would pass every other test."""
    tree = ast.parse(
        "import sklearn._build_utils, sklearn.base\n"
        "from keras.src import ops\n"
        "if CHECKING:\n    from optuna.study import _frozen, Study\n"
        "class A:\n    _declared: int\n    _own = 1\n"
        "    def f(self, x):\n        self._kept = x._theirs\n"
        "        getattr(x, '_asked')\n"
        "        return self._own, self._kept, self._declared, os._exit, x.__dict__\n"
    )
    assert list(imported(tree)) == ["sklearn._build_utils", "keras.src:ops", "optuna.study:_frozen"]
    assert defined(tree) == {"_own", "_kept"}
    assert sorted(used(tree, defined(tree))) == ["_asked", "_declared", "_theirs"]
