"""Puts a case to every rule and reads the answer: allowed or not, why, and from when.

Pure. Never short-circuits: the verdict knows every rule's result, in the API's order.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from recall.chain import Access, Reach
from recall.eligibility.case import Case, Kind, Rule
from recall.eligibility.facts import Facts, Policy, Row, facts_of, standing_for
from recall.eligibility.rules import rules_for
from recall.models import Channel, Purpose
from sightsync.lib.clock import LONDON

# Time rules push each other on (a spacing that ends on a Sunday, a Monday that is a holiday); each
# pass settles at least one of them, so a few passes settle all.
_PASSES = 20


@dataclass(frozen=True, slots=True)
class Result:
    """One rule's word on a case. `passes_at` is set on a failed rule that passes by itself."""

    code: str
    passed: bool
    status: int
    lasting: bool
    kind: Kind
    evidence: str
    passes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say. Only what is asked for is worked out: words and instants are not free,
    and a list of a hundred thousand mostly wants codes.
    """

    failed: tuple[Rule, ...]
    ask: Callable[[], Case]

    @property
    def allowed(self) -> bool:
        return not self.failed

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all failed rules, in the API's order."""
        return tuple(rule.code for rule in self.failed)

    @property
    def results(self) -> tuple[Result, ...]:
        """Every rule's result, passed ones too."""
        case = self.ask()
        rules = rules_for(case.channel, case.purpose)
        return tuple(_result(rule, case, failed=rule in self.failed) for rule in rules)

    @property
    def failures(self) -> tuple[Result, ...]:
        case = self.ask()
        return tuple(_result(rule, case, failed=True) for rule in self.failed)

    @property
    def first_failure(self) -> Result | None:
        """The one that the API answers with; None when allowed."""
        return _result(self.failed[0], self.ask(), failed=True) if self.failed else None

    @property
    def is_lasting(self) -> bool:
        """Whether a failed rule stays failed until the patient's record changes."""
        return any(rule.kind is Kind.LASTING for rule in self.failed)

    @property
    def is_held(self) -> bool:
        """Whether a failed rule stays failed until somebody at the practice acts."""
        return any(rule.kind is Kind.HELD for rule in self.failed)

    @property
    def next_allowed_at(self) -> datetime | None:
        """The first instant at which every passing rule passes: now when allowed, None when a
        failed rule does not pass by itself.
        """
        if self.is_lasting or self.is_held:
            return None
        return _all_pass_at(self.ask())

    def reach(self) -> Reach:
        """The verdict as the chain needs it: one word, the code behind it, and when."""
        for kind, access in ((Kind.LASTING, Access.CLOSED), (Kind.HELD, Access.HELD)):
            for rule in self.failed:
                if rule.kind is kind:
                    return Reach(access, rule.code)
        if not self.failed:
            return Reach(Access.OPEN)
        opens = self.next_allowed_at
        # A window that never opens is the practice's to mend.
        access = Access.LATER if opens is not None else Access.HELD
        return Reach(access, self.failed[0].code, opens)

    def receipt(self) -> dict[str, object]:
        """For the attempt's record: every rule by code, in ids, codes and times only."""
        case = self.ask()
        failed = set(self.codes)
        return {
            "at": case.now.isoformat(),
            "channel": str(case.channel),
            "purpose": str(case.purpose),
            "allowed": self.allowed,
            "rules": {
                rule.code: rule.code not in failed for rule in rules_for(case.channel, case.purpose)
            },
            "register_date": (
                case.policy.register_date.isoformat() if case.policy.register_date else None
            ),
        }


def evaluate(
    facts: Facts,
    policy: Policy,
    now: datetime,
    channel: Channel,
    purpose: Purpose = Purpose.RECALL,
) -> Verdict:
    """May this patient be contacted on this channel now? Every rule is asked."""
    case = Case(facts, policy, now, Channel(channel), Purpose(purpose))
    failed = tuple(rule for rule in rules_for(case.channel, case.purpose) if rule.fails(case))
    return Verdict(failed, lambda: case)


class ManyPatients:
    """Judges a list of patients of one practice: each distinct signature is put to the rules once.

    A practice of a hundred thousand has a few hundred signatures.
    """

    def __init__(
        self, policy: Policy, now: datetime, channel: Channel, purpose: Purpose = Purpose.RECALL
    ) -> None:
        self._policy, self._now = policy, now
        self._channel, self._purpose = Channel(channel), Purpose(purpose)
        self._today = now.astimezone(LONDON).date()
        self._known: dict[int, tuple[Rule, ...]] = {}

    def failed(self, bits: int) -> tuple[Rule, ...]:
        """The failed rules of every patient with this signature."""
        known = self._known.get(bits)
        if known is None:
            stand_in = standing_for(bits, self._now, self._today)
            known = self._known[bits] = evaluate(
                stand_in, self._policy, self._now, self._channel, self._purpose
            ).failed
        return known

    def verdict(self, row: Row) -> Verdict:
        """One patient's verdict; its words and instants come from the patient's own times."""
        return Verdict(
            self.failed(row.bits),
            lambda: Case(
                facts_of(row, self._now, self._today),
                self._policy,
                self._now,
                self._channel,
                self._purpose,
            ),
        )


def _result(rule: Rule, case: Case, *, failed: bool) -> Result:
    passing = failed and rule.kind is Kind.PASSING
    return Result(
        code=rule.code,
        passed=not failed,
        status=rule.status,
        lasting=rule.kind is Kind.LASTING,
        kind=rule.kind,
        evidence=rule.why(case) if failed else rule.fine,
        passes_at=rule.passes_at(case) if passing else None,
    )


def _all_pass_at(case: Case) -> datetime | None:
    passing = [rule for rule in rules_for(case.channel, case.purpose) if rule.kind is Kind.PASSING]
    for _ in range(_PASSES):
        waits = list(_waits(passing, case))
        if not waits:
            return case.now
        if any(until is None for until in waits):
            return None
        later = max(until for until in waits if until is not None)
        # What is under way now says nothing about then; the other facts are instants themselves.
        case = replace(
            case,
            now=later,
            facts=replace(case.facts, call_under_way=False),
            policy=replace(case.policy, register_being_applied=False),
        )
    return None


def _waits(rules: list[Rule], case: Case) -> Iterator[datetime | None]:
    for rule in rules:
        if rule.fails(case):
            yield rule.passes_at(case)
