"""How the phrases of a goal belong together: and, or, not, except, and what trails behind them.

Pure. Nouns joined are more people (diabetics and over-70s), conditions joined narrow them (diabetic
and over 70), a comma before a condition ends an exception. What could be meant in two ways that
contact different people is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise, product
from typing import Any

from recall.campaigns.choice import RISKS, Choice, Group
from recall.campaigns.grammar_terms import Kind, Term

AMBIGUOUS = "This can be meant in two ways: say it in two sentences, or as two recalls."
IMPOSSIBLE = "No patient can be all of that at once."
_JOINTS = (Kind.AND, Kind.OR, Kind.COMMA)

Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """A phrase in its place: words `first` to `last`. `noun`: it names people by itself."""

    term: Term
    first: int
    last: int
    noun: bool = False

    @property
    def names_somebody(self) -> bool:
        return self.term.kind in (Kind.CONDITION, Kind.NOUN, Kind.DUE, Kind.LIMIT)


class Unclear(ValueError):
    """The phrases are known, and what they mean together is not."""

    def __init__(self, problem: str, item: Item | None = None) -> None:
        super().__init__(problem)
        self.problem, self.item = problem, item


@dataclass(frozen=True, slots=True)
class _Atom:
    """A condition, or (`denied`) its contrary, as it joins what stands before it."""

    item: Item
    joint: Kind | None
    denied: bool
    head: bool

    @property
    def says(self) -> Said | None:
        """As a condition of its own; None when only leaving people out can say it."""
        return self.item.term.opposite if self.denied else self.item.term.says


@dataclass(slots=True)
class _Clause:
    """People, and what is said of them."""

    joint: Kind | None = None
    atoms: list[_Atom] = field(default_factory=list)

    @property
    def details(self) -> list[_Atom]:
        return [atom for atom in self.atoms if not atom.head]

    @property
    def heads(self) -> list[_Atom]:
        return [atom for atom in self.atoms if atom.head]


@dataclass(slots=True)
class _Sentence:
    """Clauses of people who are wanted (in parts that "or else" separates), and exceptions."""

    parts: list[list[_Clause]] = field(default_factory=lambda: [[_Clause()]])
    exceptions: list[_Clause] = field(default_factory=list)


def choice_of(items: list[Item], limit: int | None) -> Choice:
    """At most `limit` patients, or fewer when the phrases say so. Raises Unclear."""
    limits = {item.term.says["limit"] for item in items if _is_limit(item) and item.term.says}
    if len(limits) > 1:
        raise Unclear(AMBIGUOUS, [item for item in items if _is_limit(item)][-1])
    sentence = _Walk(_risks_joined([item for item in items if not _is_limit(item)])).sentence()
    groups: list[tuple[Group, frozenset[Group]]] = []
    for part in sentence.parts:
        for clause in _trailing_shared(part):
            groups += _groups(clause)
    shared = groups[0][1] if groups else frozenset[Group]()
    if any(left_out != shared for _, left_out in groups):
        raise Unclear(AMBIGUOUS, _first_denied(sentence))
    leaving_out = [*sorted(shared, key=repr)]
    wanted = [group for group, _ in groups]
    for clause in sentence.exceptions:
        opposite, group = _exception(clause)
        if opposite is not None:
            wanted = [_narrowed(each, opposite, clause.atoms[-1].item) for each in wanted]
        elif group not in leaving_out:
            leaving_out.append(group)
    main, *also = _together(wanted or [Group()])
    said = {one.name: getattr(main, one.name) for one in fields(Group)}
    kept = min([*limits, *([limit] if limit else [])], default=Choice().limit)
    return Choice(**said, also=tuple(also), leaving_out=tuple(leaving_out), limit=kept)


def _is_limit(item: Item) -> bool:
    return item.term.kind is Kind.LIMIT


def _first_denied(sentence: _Sentence) -> Item | None:
    atoms = (atom for part in sentence.parts for clause in part for atom in clause.atoms)
    return next((atom.item for atom in atoms if _leaves_out(atom)), None)


def _risks_joined(items: list[Item]) -> list[Item]:
    """Risk categories in a row are one condition: nobody has two of them."""
    joined: list[Item] = []
    for index, item in enumerate(items):
        back = _risk_before(joined) if _risks(item) else None
        if back is None:
            joined.append(item)
            continue
        # The joints and nouns between stand for nothing any more.
        del joined[back + 1 :]
        before = joined[back]
        names = {*_risks(before), *_risks(item)}
        term = replace(item.term, says={"risks": tuple(risk for risk in RISKS if risk in names)})
        noun = item.noun or (index + 1 < len(items) and items[index + 1].term.kind is Kind.NOUN)
        joined[back] = Item(term, before.first, item.last, noun)
    return joined


def _risks(item: Item) -> tuple[str, ...]:
    found: tuple[str, ...] = (item.term.says or {}).get("risks", ())
    return found


def _risk_before(joined: list[Item]) -> int | None:
    """Where a risk category stands to which the next one is joined; None when there is none."""
    index, joints = len(joined) - 1, 0
    while index >= 0 and joined[index].term.kind in (*_JOINTS, Kind.NOUN):
        joints += joined[index].term.kind in _JOINTS
        index -= 1
    return index if index >= 0 and joints and _risks(joined[index]) else None


class _Walk:
    """Goes through the phrases once, from left to right, and puts each where it belongs."""

    def __init__(self, items: list[Item]) -> None:
        self._items = items
        self._found = _Sentence()
        self._joint: Kind | None = None
        self._excepting = False
        self._denied = False

    def sentence(self) -> _Sentence:
        for index, item in enumerate(self._items):
            kind = item.term.kind
            if kind in _JOINTS:
                self._join(kind)
            elif kind is Kind.ELSE:
                self._or_else(item)
            elif kind in (Kind.NOT, Kind.EXCEPT):
                self._deny(index, item)
            else:
                self._place(item)
        if self._denied:
            raise Unclear("It does not say who not.", self._items[-1])
        if self._joint in (Kind.AND, Kind.OR):
            raise Unclear("It does not say who else.", self._items[-1])
        return self._found

    def _join(self, kind: Kind) -> None:
        """A comma and an "or" are an "or"."""
        if self._joint is None or self._joint is Kind.COMMA:
            self._joint = kind

    def _or_else(self, item: Item) -> None:
        if self._excepting:
            raise Unclear(AMBIGUOUS, item)
        self._found.parts.append([_Clause()])
        self._joint = None

    def _deny(self, index: int, item: Item) -> None:
        following = self._items[index + 1] if index + 1 < len(self._items) else None
        if following is None or not following.names_somebody:
            raise Unclear("It does not say who not.", item)
        if following.term.kind is Kind.DUE:
            raise Unclear("Only patients who are due can be recalled.", following)
        if item.term.kind is Kind.EXCEPT or following.noun:
            self._excepting = True
            self._found.exceptions.append(_Clause())
            self._joint = None
        else:
            self._denied = True
            self._joint = self._joint or Kind.COMMA

    def _place(self, item: Item) -> None:
        if self._excepting and self._joint is not None:
            self._leave_exception(item)
        clause = self._found.exceptions[-1] if self._excepting else self._main(item)
        joint, self._joint = self._joint, None
        if item.term.kind is not Kind.CONDITION:
            return
        denied = item.term.denied != self._denied
        self._denied = False
        first = clause is not None and not clause.atoms
        clause.atoms.append(_Atom(item, None if first else joint, denied, head=item.noun))

    def _leave_exception(self, item: Item) -> None:
        """Except diabetics and children: another exception. Except diabetics, overdue by ...: no
        longer one.
        """
        if item.noun or self._joint is Kind.OR:
            self._found.exceptions.append(_Clause())
            self._joint = None
        elif self._joint is Kind.COMMA or self._denied:
            self._excepting = False
        else:
            raise Unclear(AMBIGUOUS, item)

    def _main(self, item: Item) -> _Clause:
        part = self._found.parts[-1]
        if self._joint is not None and item.noun and not self._denied and _is_said(part[-1]):
            part.append(_Clause(self._joint))
            self._joint = None
        return part[-1]


def _is_said(clause: _Clause) -> bool:
    return bool(clause.atoms)


def _trailing_shared(part: list[_Clause]) -> list[_Clause]:
    """Diabetics and children overdue by a year: both are. Commas alone do not join people."""
    joints = [clause.joint for clause in part[1:]]
    if joints and joints[-1] is Kind.COMMA:
        atoms = [atom for clause in part for atom in clause.atoms]
        raise Unclear(AMBIGUOUS, (part[-1].atoms or atoms)[0].item)
    for before, after in reversed(list(pairwise(part))):
        if before.details and (not before.heads or before.details[0] is before.atoms[0]):
            raise Unclear(AMBIGUOUS, before.details[0].item)
        if not before.details and after.heads:
            before.atoms = [*before.atoms, *after.details]
    return part


def _leaves_out(atom: _Atom) -> bool:
    return atom.denied and atom.says is None


def _groups(clause: _Clause) -> Iterator[tuple[Group, frozenset[Group]]]:
    """The clause as groups, any of which will do, each with those left out of it."""
    left_out = frozenset(_group(atom) for atom in clause.atoms if _leaves_out(atom))
    kept = [atom for atom in clause.atoms if not _leaves_out(atom)]
    for atom in clause.atoms:
        if atom.says is not None and not atom.says:
            raise Unclear("Say since when they were contacted.", atom.item)
        if _leaves_out(atom) and atom.joint is Kind.OR:
            raise Unclear(AMBIGUOUS, atom.item)
    for chosen in product(*_alternatives(kept)):
        group = Group()
        for atom in chosen:
            group = _narrowed(group, atom.says or {}, atom.item)
        yield group, left_out


def _alternatives(atoms: list[_Atom]) -> list[list[_Atom]]:
    """Each condition by itself; those that an "or" joins together in one list."""
    if not any(atom.joint is Kind.OR for atom in atoms):
        return [[atom] for atom in atoms]
    heads = [atom for atom in atoms if atom.head and atom.joint is not Kind.OR]
    trailing = [
        atom for atom in atoms if atom.denied and atom.joint is not Kind.OR and not atom.head
    ]
    if trailing and trailing[0] is atoms[0]:
        trailing = trailing[1:]
    loose = [atom for atom in atoms if atom not in heads and atom not in trailing]
    if not any(atom.joint is not Kind.OR for atom in loose):
        loose, heads = [*heads[-1:], *loose], heads[:-1]
    plain = [atom for atom in loose[1:] if atom.joint is not Kind.OR]
    commas = all(atom.joint is Kind.COMMA for atom in plain)
    if plain and not (commas and loose[-1].joint is Kind.OR):
        raise Unclear(AMBIGUOUS, plain[-1].item)
    return [[atom] for atom in (*heads, *trailing)] + [loose]


def _exception(clause: _Clause) -> tuple[Said | None, Group]:
    """A single condition that has an opposite narrows those who are wanted; any other group is
    left out of them.
    """
    if not clause.atoms:
        raise Unclear("It does not say who to leave out.")
    if len(clause.atoms) == 1:
        atom = clause.atoms[0]
        opposite = atom.item.term.says if atom.denied else atom.item.term.opposite
        if opposite:
            return opposite, Group()
    group = Group()
    for atom in clause.atoms:
        if not atom.says or atom.joint is Kind.OR:
            raise Unclear(AMBIGUOUS, atom.item)
        group = _narrowed(group, atom.says, atom.item)
    return None, group


def _group(atom: _Atom) -> Group:
    return _narrowed(Group(), atom.item.term.says or {}, atom.item)


_LATEST = {"age_from", "tested_from", "called_since", "contacted_since"}
_LATEST |= {"not_called_days", "not_contacted_days"}
_EARLIEST = {"age_to", "tested_to", "not_called_since", "not_contacted_since"}


def _narrowed(group: Group, said: Said, item: Item) -> Group:
    """The group with a further condition. Raises Unclear when nobody can meet it."""
    changes: dict[str, Any] = dict(said)
    for name, value in said.items():
        known = getattr(group, name)
        if known in (None, False, 0, ()):
            continue
        if name in _LATEST:
            changes[name] = max(known, value)
        elif name in _EARLIEST:
            changes[name] = min(known, value)
        elif known != value:
            raise Unclear(IMPOSSIBLE if name == "risks" else AMBIGUOUS, item)
    narrowed = replace(group, **changes)
    if narrowed.contradiction:
        raise Unclear(IMPOSSIBLE, item)
    return narrowed


def _together(groups: list[Group]) -> list[Group]:
    """Groups that differ in nothing but the risk category are one."""
    found: list[Group] = []
    for group in groups:
        twin = next(
            (
                index
                for index, other in enumerate(found)
                if replace(other, risks=()) == replace(group, risks=())
                and bool(other.risks) == bool(group.risks)
            ),
            None,
        )
        if twin is None:
            found.append(group)
        else:
            names = {*found[twin].risks, *group.risks}
            found[twin] = replace(group, risks=tuple(risk for risk in RISKS if risk in names))
    return found
