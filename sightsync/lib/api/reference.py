"""The OpenAPI document as a page shows it: references followed, schemas as rows, examples as text.
Words and links are the template's.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from sightsync.lib.api import schema

Parts = Mapping[str, Any]
MOST_DEPTH = 2


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a body or a parameter. `depth` says how far it is inside another."""

    name: str
    kind: str
    required: bool
    text: str
    choices: tuple[str, ...]
    default: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    phrase: str
    text: str
    examples: tuple[Example, ...]

    @property
    def good(self) -> bool:
        return self.status.startswith("2")


@dataclass(frozen=True, slots=True)
class Operation:
    anchor: str
    method: str
    path: str
    summary: str
    paragraphs: tuple[str, ...]
    scope: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    sent: tuple[Example, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    anchor: str
    operations: tuple[Operation, ...]


@cache
def groups() -> tuple[Group, ...]:
    """The operations by their tag, in the document's order; made once in a process."""
    document = json.loads(schema.document())
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            found.setdefault(told["tags"][0], []).append(_operation(document, path, method, told))
    return tuple(
        Group(name, name.lower().replace(" ", "-"), tuple(operations))
        for name, operations in found.items()
    )


def _operation(document: Parts, path: str, method: str, told: Parts) -> Operation:
    text = told["description"].partition("Scope: ")[0].strip()
    media = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Operation(
        anchor=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        paragraphs=tuple(part for part in text.split("\n\n") if part),
        scope=told["x-scope"],
        parameters=tuple(
            _field(one["name"], one["schema"], one.get("required", False), one)
            for one in (_follow(document, one) for one in told.get("parameters", []))
        ),
        body=tuple(_fields(document, media.get("schema", {}))),
        sent=tuple(_examples(media)),
        answers=tuple(
            _answer(document, status, answer) for status, answer in told["responses"].items()
        ),
    )


def _follow(document: Parts, told: Parts) -> Parts:
    """What a reference inside the document stands for."""
    while "$ref" in told:
        found: Any = document
        for step in told["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        told = found
    return told


def _fields(document: Parts, told: Parts, depth: int = 0) -> Iterator[Field]:
    told = _follow(document, told)
    required = told.get("required", ())
    for name, given in told.get("properties", {}).items():
        shape = _follow(document, given)
        yield _field(name, shape, name in required, given, depth)
        if depth < MOST_DEPTH:
            yield from _fields(document, shape.get("items", shape), depth + 1)


def _field(name: str, shape: Parts, required: bool, told: Parts, depth: int = 0) -> Field:
    default = shape.get("default")
    return Field(
        name=name,
        kind=_kind(shape),
        required=required,
        text=told.get("description", shape.get("description", "")),
        choices=tuple(str(one) for one in shape.get("enum", ()) if one is not None),
        default="" if default is None else json.dumps(default).strip('"'),
        depth=depth,
    )


def _kind(shape: Parts) -> str:
    """In words. Of several forms, which a blank text among others makes, the first and null."""
    if forms := shape.get("oneOf") or shape.get("anyOf"):
        return " or ".join(dict.fromkeys(_kind(one) for one in forms if one.get("maxLength") != 0))
    kind = shape.get("type", "object")
    words = [kind] if isinstance(kind, str) else list(kind)
    if shape.get("format") in ("date", "date-time", "email"):
        words = [shape["format"] if word == "string" else word for word in words]
    if "array" in words:
        words[words.index("array")] = f"list of {_kind(shape.get('items', {}))}s"
    return " or ".join(words)


def _answer(document: Parts, status: str, told: Parts) -> Answer:
    told = _follow(document, told)
    content = told.get("content", {})
    media: Parts = content.get("application/json") or next(iter(content.values()), {})
    phrase = HTTPStatus(int(status)).phrase
    text = told.get("description", "")
    return Answer(status, phrase, text, tuple(_examples(media)))


def _examples(media: Parts) -> Iterator[Example]:
    if "example" in media:
        yield Example("Example", _text(media["example"]))
    for example in media.get("examples", {}).values():
        yield Example(example.get("summary", "Example"), _text(example["value"]))


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
