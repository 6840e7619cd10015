"""The examples in docs/sklearn.md run, in their order, as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs" / "sklearn.md"


@pytest.mark.slow
def test_the_examples_of_the_estimators_run() -> None:
    text = DOCS.read_text(encoding="utf-8").split("\n## Parameters\n")[0]
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) >= 4
    names: dict[str, object] = {}
    for example in examples:
        exec(compile(example, str(DOCS), "exec"), names)
