"""Is the storage's schema one this Optuna reads? Asked before anything is written."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import sqlalchemy

from tuner.errors import StorageError


@cache
def _known_revisions() -> tuple[str, ...]:
    """Optuna's schema revisions, the newest first."""
    from alembic.script import ScriptDirectory
    from optuna.storages import _rdb

    folder = Path(_rdb.__path__[0]) / "alembic"
    return tuple(script.revision for script in ScriptDirectory(str(folder)).walk_revisions())


def has_schema(connection: sqlalchemy.Connection, shown: str) -> bool:
    """True if Optuna's tables are there and complete, False if they have to be made.

    Raises:
        StorageError: the tables have another revision than this Optuna's; nothing was changed.
    """
    import optuna

    if not sqlalchemy.inspect(connection).has_table("alembic_version"):
        return False
    revision = connection.execute(
        sqlalchemy.text("SELECT version_num FROM alembic_version")
    ).scalar()
    if revision is None:
        return False
    known = _known_revisions()
    if revision == known[0]:
        return True
    if revision in known:
        raise StorageError(
            f"a storage has the schema of the installed Optuna {optuna.__version__} ({known[0]}); "
            f"{shown} has the older {revision}. Upgrade it (after a copy) by: "
            f"optuna storage upgrade --storage {shown}"
        )
    raise StorageError(
        f"a storage has the schema of the installed Optuna {optuna.__version__} ({known[0]}); "
        f"{shown} has {revision}, which this Optuna does not know: a newer one made it. "
        "Available: pip install -U optuna, or another storage (--storage); nothing was changed"
    )
