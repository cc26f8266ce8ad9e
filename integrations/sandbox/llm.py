"""A language model that follows a script: the chat completions shape, for tools and for schemas.

It understands by a few keywords. In `obey` mode it does whatever any text in the conversation
asks, which is how the product's own checks are put to the test.
"""

import json
import re
import secrets
from typing import Any

from aiohttp import web

from integrations.sandbox.world import World, world_of

routes = web.RouteTableDef()

# The first row whose pattern is in the patient's last words names the intent, by any of its names.
INTENT_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"flash|floater|curtain|sudden|pain|lost (my )?(sight|vision)|double vision",
     ("symptoms", "symptom", "needs_staff")),
    (r"stop (call|ring|contact)|never (call|ring)|opt out|unsubscribe|remove me",
     ("opt_out", "opted_out", "stop")),
    (r"wrong (number|person)|not me|no one (here )?(called|named)",
     ("wrong_person", "wrong_number")),
    (r"passed away|died|deceased|is dead", ("deceased",)),
    (r"(call|ring) (me )?back|another time|later|tomorrow|busy now", ("call_back", "callback")),
    (r"speak to (a|some)|real person|human|receptionist", ("human", "person", "needs_staff")),
    (r"another day|other days|different day|something else|none of",
     ("other_times", "other_days", "another_day", "other_slots")),
    (r"\bno\b|not interested|don't want", ("no", "decline", "declined", "deny")),
    (r"repeat|pardon|say that again|what did you", ("repeat",)),
    (r"first|second|third|one|two|three|o'?clock|past|[ap]m|day\b",
     ("choose", "choose_slot", "slot", "pick")),
    (r"\byes\b|speaking|please|sure|ok(ay)?|that's me|correct", ("yes", "confirm", "affirm")),
)  # fmt: skip
ORDINALS = (("first", 1), ("second", 2), ("third", 3), ("one", 1), ("two", 2), ("three", 3))
OBEYED = (
    (r"every slot|all (the )?slots|book", ("choose", "choose_slot", "slot", "book", "yes")),
    (r"call|ring|transfer", ("transfer", "human", "call_back")),
    (r"ignore|system|instruction", ("yes", "confirm")),
)


@routes.post("/llm/v1/chat/completions")
async def complete(request: web.Request) -> web.Response:
    world = world_of(request)
    wish: dict[str, Any] = await request.json()
    schema, tool = _wanted_shape(wish)
    words = _last_words(wish)
    answer = _scripted(world)
    if answer is None and schema is not None:
        text = _everything(wish) if world.llm_mode == "obey" else words
        rules = OBEYED + INTENT_WORDS if world.llm_mode == "obey" else INTENT_WORDS
        answer = (_dictated(text) if world.llm_mode == "obey" else None) or fill(
            schema, text, rules, schema
        )
    if answer is None:
        answer = "I understand."
    return web.json_response(_reply(wish, answer, tool))


@routes.get("/llm/v1/models")
async def models(request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "sandbox", "object": "model"}]})


@routes.post("/llm/script")
async def script(request: web.Request) -> web.Response:
    """`mode` (scripted, obey) and `answers`: given one after the other before the rules are."""
    world, wish = world_of(request), await request.json()
    world.llm_mode = str(wish.get("mode", world.llm_mode))
    world.llm_answers.extend(wish.get("answers", []))
    return web.json_response({"mode": world.llm_mode, "answers": len(world.llm_answers)})


def fill(
    schema: dict[str, Any],
    text: str,
    rules: tuple[tuple[str, tuple[str, ...]], ...],
    root: dict[str, Any],
) -> Any:
    """A value of the schema's shape that the text suggests."""
    schema = _resolve(schema, root)
    if "enum" in schema:
        return _choice([str(value) for value in schema["enum"]], text, rules)
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return {
            name: fill(part, text, rules, root)
            for name, part in schema.get("properties", {}).items()
        }
    if kind in ("integer", "number"):
        number = _number(text)
        lowest = schema.get("minimum", 0)
        return max(lowest, number) if number is not None else (schema.get("default") or lowest)
    if kind == "boolean":
        return bool(re.search(r"\byes\b", text, re.I))
    if kind == "array":
        return []
    return "" if kind == "null" or "default" in schema else text[:200]


def _resolve(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        found: dict[str, Any] = root.get("$defs", {}).get(name, {})
        return _resolve(found, root)
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return _resolve(schema[key][0], root)
    return schema


def _choice(values: list[str], text: str, rules: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    for pattern, names in rules:
        if re.search(pattern, text, re.I):
            for name in names:
                if name in values:
                    return name
    fallback = [value for value in values if value in ("unclear", "unknown", "other", "none")]
    return (fallback or values)[0]


def _number(text: str) -> int | None:
    digits = re.search(r"\d+", text)
    if digits:
        return int(digits[0])
    return next((value for word, value in ORDINALS if re.search(rf"\b{word}\b", text, re.I)), None)


def _dictated(text: str) -> Any:
    """JSON that somebody put into the conversation, to be repeated as the answer."""
    found = re.findall(r"\{[^{}]*\}", text)
    for candidate in reversed(found):
        try:
            return json.loads(candidate)
        except ValueError:
            continue
    return None


def _scripted(world: World) -> Any:
    return world.llm_answers.pop(0) if world.llm_answers else None


def _wanted_shape(wish: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The schema to answer in, and the tool that carries it (or nothing: as text)."""
    tools = wish.get("tools") or []
    if tools:
        named = [tool for tool in tools if "final_result" in tool["function"]["name"]]
        function = (named or tools)[0]["function"]
        return function.get("parameters", {}), str(function["name"])
    form = wish.get("response_format") or {}
    if form.get("type") == "json_schema":
        return form["json_schema"]["schema"], ""
    return None, ""


def _text_of(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content)
    return str(content)


def _last_words(wish: dict[str, Any]) -> str:
    """What the patient said: the last line of the last message, without the speaker's name."""
    said = [m for m in wish.get("messages", []) if m.get("role") == "user"]
    lines = _text_of(said[-1]).strip().splitlines() if said else []
    return re.sub(r"^(patient|caller|they said):\s*", "", lines[-1], flags=re.I) if lines else ""


def _everything(wish: dict[str, Any]) -> str:
    return "\n".join(_text_of(m) for m in wish.get("messages", []) if m.get("role") != "system")


def _reply(wish: dict[str, Any], answer: Any, tool: str) -> dict[str, Any]:
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if tool:
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_" + secrets.token_hex(12),
                    "type": "function",
                    "function": {"name": tool, "arguments": text},
                }
            ],
        }
    return {
        "id": "chatcmpl-" + secrets.token_hex(12),
        "object": "chat.completion",
        "created": 1700000000,
        "model": wish.get("model", "sandbox"),
        "choices": [
            {"index": 0, "message": message, "finish_reason": "tool_calls" if tool else "stop"}
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
