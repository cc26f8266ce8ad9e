"""A Postman collection (format 2.1) made from the OpenAPI document; knows nothing else."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

Parts = dict[str, Any]
_FORMAT = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, _FORMAT)
_PARAMETER = re.compile(r"{(\w+)}")


def collection(document: Mapping[str, Any]) -> Parts:
    """One folder for each tag and one request for each operation, with its example body. The
    address and the key are variables of the collection: `base_url` and `api_key`.
    """
    folders: dict[str, list[Parts]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            folders.setdefault(operation["tags"][0], []).append(_item(path, method, operation))
    info = document["info"]
    return {
        "info": {
            "_postman_id": str(uuid.uuid5(_NAMESPACE, info["title"])),
            "name": info["title"],
            "description": info["description"],
            "version": info["version"],
            "schema": _FORMAT,
        },
        "auth": {
            "type": "bearer",
            "bearer": [{"key": "token", "value": "{{api_key}}", "type": "string"}],
        },
        "variable": [
            {"key": "base_url", "value": "https://app.sightsync.example", "type": "string"},
            {"key": "api_key", "value": "", "type": "string"},
        ],
        "item": [{"name": name, "item": items} for name, items in sorted(folders.items())],
    }


def text(document: Mapping[str, Any]) -> str:
    """The collection as it is committed."""
    return json.dumps(collection(document), indent=2, ensure_ascii=False) + "\n"


def _item(path: str, method: str, operation: Mapping[str, Any]) -> Parts:
    body = _body(operation)
    headers = [{"key": "Content-Type", "value": "application/json"}] if body else []
    request: Parts = {
        "method": method.upper(),
        "description": operation["description"],
        "header": headers,
        "url": _url(path, operation),
    }
    if body is not None:
        raw = json.dumps(body, indent=2, ensure_ascii=False)
        request["body"] = {"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}
    return {
        "id": str(uuid.uuid5(_NAMESPACE, operation["operationId"])),
        "name": operation["summary"],
        "request": request,
        "response": [],
    }


def _url(path: str, operation: Mapping[str, Any]) -> Parts:
    """Parameters of the query string are there, switched off."""
    known = [one for one in operation.get("parameters", []) if "name" in one]
    spelt = _PARAMETER.sub(r":\1", path)
    url: Parts = {
        "raw": "{{base_url}}" + spelt,
        "host": ["{{base_url}}"],
        "path": spelt.strip("/").split("/"),
    }
    for place, name in (("path", "variable"), ("query", "query")):
        if found := [_parameter(one) for one in known if one["in"] == place]:
            url[name] = found
    return url


def _parameter(told: Mapping[str, Any]) -> Parts:
    default = told.get("schema", {}).get("default", "")
    value = default if isinstance(default, str) else json.dumps(default)
    made = {"key": told["name"], "value": value, "description": told.get("description", "")}
    return {**made, "disabled": True} if told["in"] == "query" else made


def _body(operation: Mapping[str, Any]) -> Any:
    kinds = operation.get("requestBody", {}).get("content", {})
    examples = kinds.get("application/json", {}).get("examples", {})
    return next((example["value"] for example in examples.values()), None)
