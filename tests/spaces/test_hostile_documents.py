"""Documents made to take time or memory: refused at once, in a few lines."""

from __future__ import annotations

import time

import pytest

from tuner.errors import SpaceError
from tuner.spaces import Space, load_space
from tuner.spaces.yaml_file import parse_yaml
from tuner.spaces.yaml_limits import DEEPEST, MOST_VALUES


def bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return "\n".join(lines)


def numbers(count: int) -> str:
    return ", ".join(map(str, range(1, count + 1)))


DOCUMENTS = {
    "aliases of aliases": (bomb(), f"at most {MOST_VALUES} values, aliases counted"),
    "a chain of aliases": (
        "a0: &a0 [x]\n" + "\n".join(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 1000)),
        f"at most {DEEPEST} levels deep",
    ),
    "5,000 brackets": ("params: " + "[" * 5000, f"at most {DEEPEST} levels deep"),
    "5,000 braces": ('{"a": ' * 5000, f"at most {DEEPEST} levels deep"),
    "5,000 dashes": ("- " * 5000, f"at most {DEEPEST} levels deep"),
    "5,000 keys in keys": ("? " * 5000, f"at most {DEEPEST} levels deep"),
    "8,000 unknown parameters": (
        "params:\n" + "".join(f"  foo{i}: 1\n" for i in range(8000)),
        f"at most {MOST_VALUES} values",
    ),
    "4,000 unknown parameters": (
        "params:\n" + "".join(f"  foo{i}: 1\n" for i in range(4000)),
        "and 3980 more problems",
    ),
    "4,000 unknown fields": (
        "params: {epochs: 3}\n" + "".join(f"foo{i}: 1\n" for i in range(4000)),
        "and 3980 more problems",
    ),
    "200,000 choices": (
        f"params: {{epochs: {{choices: [{numbers(200_000)}]}}}}",
        "more than the 977 KB",
    ),
    "9,000 unknown choices": (
        f"params: {{optimizer: {{choices: [{', '.join(f'adm{i}' for i in range(9000))}]}}}}",
        "unknown optimizer 'adm0'; did you mean adam?",
    ),
    "a million words": ("params: {epochs: " + "a " * 10**6 + "}", "more than the 977 KB"),
    "a long name": (f"params: {{optimizer: {'a' * 200_000}}}", "unknown optimizer 'aaa"),
    "a long key": (f"params: {{? {'a' * 200_000} : 1}}", "unknown parameter 'aaa"),
    "a long tag": (f"params: !{'a' * 200_000} 3", "tags are not allowed"),
    "a long alias": (f"params: *{'a' * 200_000}", "not valid YAML"),
    "thousands of digits": (f"params: {{epochs: {'9' * 9000}}}", "does not fit"),
    "thousands of hexadecimal digits": (
        f"params: {{epochs: 0x{'f' * 9000}}}",
        "epochs: must be at least 1, at most 100000; got a number of thousands of digits",
    ),
    "ends of thousands of digits": (
        f"params: {{epochs: {{low: 0x{'f' * 9000}, high: 0x{'f' * 9001}, step: 0x{'f' * 8000}}}}}",
        "epochs.low: must be finite; got a number of thousands of digits",
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document_is_refused_at_once(name, tmp_path) -> None:
    text, said = DOCUMENTS[name]
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    began = time.process_time()
    with pytest.raises(SpaceError) as caught:
        load_space(file)
    spent = time.process_time() - began
    message = str(caught.value)
    assert said in message
    assert len(message) < 12_000
    assert len(message.splitlines()) <= 21
    assert spent < 3


def test_a_space_in_memory_is_bounded_too() -> None:
    began = time.process_time()
    with pytest.raises(SpaceError) as caught:
        Space.from_dict({"name": "mine", "params": {f"foo{i}": 1 for i in range(20_000)}})
    assert len(str(caught.value).splitlines()) == 21
    assert str(caught.value).endswith("and 19980 more problems")
    assert time.process_time() - began < 5


def test_honest_aliases_and_long_lists_are_read() -> None:
    text = f"epochs: &many {{choices: [{numbers(2000)}]}}\nbatch_size: *many\nmore: [*many, *many]"
    data, _, problems = parse_yaml(text, "mine.yaml")
    assert problems == []
    assert data["batch_size"] == data["epochs"] == data["more"][1]
    assert len(data["epochs"]["choices"]) == 2000
    deep = "[" * DEEPEST + "]" * DEEPEST
    assert parse_yaml(deep, "mine.yaml")[2] == []
