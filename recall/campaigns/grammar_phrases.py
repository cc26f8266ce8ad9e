"""The phrases that the grammar knows: a closed list of patterns over plain words.

Pure. What a match says is made by `grammar_terms`; which phrase a goal has where, and how they
belong together, is `grammar`'s.
"""

import re

from recall.campaigns import grammar_terms as terms
from recall.campaigns.grammar_dates import DAY, NUMBER, SPAN, UNIT
from recall.campaigns.grammar_terms import Kind, Maker

MORE = r"(?:more than|over|longer than|in excess of|greater than)"
LEAST = r"(?:at least|a minimum of|minimum|not less than|no less than)"
LESS = r"(?:less than|under|fewer than|below)"
MOST = r"(?:at most|up to|no more than|not more than|a maximum of|within)"
COMPARED = rf"(?:(?P<more>{MORE})|(?P<least>{LEAST})|(?P<less>{LESS})|(?P<most>{MOST}))"
LATE = r"(?:overdue|late|past due|past their due date|behind)"
TEST = (
    r"(?:(?:eye|sight|vision) ?(?:tests?|exams?|examinations?|checks?|check ups?|checkups?)"
    r"|tests?|exams?|examinations?|check ups?|checkups?|recalls?)"
)
_FOR = rf"(?: for (?:an? |their |the )?(?:next )?{TEST})?"
CALLED = r"(?:called|rung|rang|phoned|telephoned)"
_WHEN = r"(?:(?:in|within|during|over|for) (?:the )?)?"
_WITHIN = r"(?:in|within|during|over|for) the (?:last |past )"
_ONE = r"(?:week|fortnight|month|year)"
PEOPLE = (
    r"(?:patients?|people|persons?|ones?|those|anyone|anybody|everyone|everybody|folks?|clients?"
    r"|customers?|of them)"
)
_KIDS = r"(?:children|child|kids?)"
_LENS = r"(?:contact lens(?:es)?|contact ?lens(?:es)?|lens)"
_WHOM = r"(?:diabetic|glaucoma|contact|lens|myop|child|kid|adult|teenager|other clinical|standard)"
_BOOKING = r"(?:appointments?|bookings?)(?: booked| ahead)?"
_HAD = r"(?:(?:have|has|had|having) )?"
_TEST_VERB = rf"(?:last |most recently )?(?:tested|seen|examined|had (?:an?|their last) {TEST})"
_LAST_TEST = rf"(?:their |the |whose |with (?:a|their) )?last {TEST}(?: date)?(?: was| were| is)?"
_TESTED = rf"(?:{_TEST_VERB}|{_LAST_TEST})"
_NOT_TESTED = (
    rf"(?:(?:have |has |had |were |was )?not (?:been |had )?(?:tested|seen|examined|an? {TEST})"
    rf"|(?:with )?no {TEST}|(?:with|have|has) not had an? {TEST}|without an? {TEST})"
)
_NEVER = r"(?:(?:have |has |had |were |was )?never (?:yet )?(?:been )?)"

_PHRASES: list[tuple[str, Maker]] = [
    # risk categories
    (r"diabetics", terms.says(noun=True, risks=("diabetic",))),
    (r"diabetic|diabetes|(?:with|have|has|having) diabetes", terms.says(risks=("diabetic",))),
    (r"glaucoma suspects|suspected glaucomas", terms.says(noun=True, risks=("glaucoma_suspect",))),
    (
        r"(?:(?:with|have|has|having) )?(?:glaucoma suspect|suspected glaucoma|glaucoma)"
        r"|suspected of glaucoma",
        terms.says(risks=("glaucoma_suspect",)),
    ),
    (
        rf"{_KIDS} (?:with|who have|who has) (?:myopia|short sight)|(?:myopic|myopia) {_KIDS}"
        rf"|(?:short|near) ?sighted {_KIDS}|{_KIDS} who are (?:myopic|(?:short|near) ?sighted)",
        terms.says(noun=True, risks=("myopia_child",)),
    ),
    (r"(?:with )?myopia(?: control| management)?", terms.says(risks=("myopia_child",))),
    (
        rf"{_LENS} (?:wearers?|users?)|contact lenses(?= patients)",
        terms.says(noun=True, risks=("contact_lens",)),
    ),
    (
        rf"contact ?lens|contact ?lenses|lens"
        rf"|(?:with|wear|wears|wearing|who wear|use|uses|using|in) {_LENS}",
        terms.says(risks=("contact_lens",)),
    ),
    (
        r"(?:with )?other clinical(?: reasons?| risks?| category)?",
        terms.says(risks=("other_clinical",)),
    ),
    (r"(?:standard|routine|normal)(?: risk)?", terms.says(risks=("standard",))),
    # overdue
    (rf"{LATE}{_FOR}|(?:now )?due{_FOR}(?: now)?", terms.kind(Kind.DUE)),
    (rf"due (?:an?|their|the) (?:next )?{TEST}|needs? (?:an?|their) {TEST}", terms.kind(Kind.DUE)),
    (
        rf"(?:{LATE}|due){_FOR} (?:(?:by|for) )?(?:{COMPARED} )?(?P<span>{SPAN})"
        r"(?P<or_more> (?:or|and) (?:more|longer|over)| plus)?(?P<or_less> or (?:less|under))?",
        terms.overdue,
    ),
    (
        rf"(?:{COMPARED} )?(?P<span>{SPAN})(?P<or_more> (?:or|and) (?:more|longer|over)| plus)?"
        rf"(?P<or_less> or less)? {LATE}{_FOR}",
        terms.overdue,
    ),
    (
        rf"{LATE}{_FOR} (?:(?:by|for) )?(?:between |from )?(?P<lower>{NUMBER}(?: {UNIT})?)"
        rf" (?:and|to) (?P<upper>{NUMBER} {UNIT})",
        terms.overdue_between,
    ),
    (
        rf"(?:between )?(?P<lower>{NUMBER}(?: {UNIT})?) (?:and|to) (?P<upper>{NUMBER} {UNIT})"
        rf" {LATE}{_FOR}",
        terms.overdue_between,
    ),
    # age
    (
        r"(?:aged? |ages? )?(?:over|above|older than|at least) (?:the age of )?(?P<years>\d{1,4})"
        r"(?P<s>s)?(?: years)?(?: old| of age)?",
        terms.age,
    ),
    (r"(?:aged? )?more than (?P<years>\d{1,4}) years (?:old|of age)", terms.age),
    (
        r"(?:aged? |ages? )?(?P<under>under|below|younger than) (?:the age of )?(?P<years>\d{1,4})"
        r"(?P<s>s)?(?: years)?(?: old| of age)?",
        terms.age,
    ),
    (
        r"(?:aged? |ages? )?(?P<years>\d{1,4})(?: years)?(?: old)?"
        r" (?:plus|(?:and|or) (?:over|above|older|up))",
        terms.age,
    ),
    (
        r"(?:aged? |ages? )?(?P<years>\d{1,4})(?: years)?(?: old)?"
        r" (?P<down>(?:and|or) (?:under|below|younger))",
        terms.age,
    ),
    (
        r"(?:(?:aged?|ages?) (?:between |from )?|between (?:the )?ages (?:of )?)"
        r"(?P<low>\d{1,4}) (?:and|to) (?P<high>\d{1,4})(?: years)?(?: old| of age)?",
        terms.ages,
    ),
    (r"between (?P<low>\d{1,4}) and (?P<high>\d{1,4}) years (?:old|of age)", terms.ages),
    (r"(?P<low>\d{1,4})(?: (?:to|and) (?P<high>\d{1,4}))? year (?P<olds>olds?)", terms.ages),
    (r"aged? (?P<low>\d{1,4})(?: years)?(?: old)?", terms.ages),
    (_KIDS, terms.says(noun=True, age_to=15)),
    (r"adults?|grown ups", terms.says(noun=True, age_from=18)),
    (r"teenagers?", terms.says(noun=True, age_from=13, age_to=19)),
    # eye tests
    (
        rf"{_TESTED} (?:(?P<before>before|prior to|earlier than)|(?P<until>on or before|up to)"
        rf"|(?P<after>after|later than)|(?P<since>since|on or after|from)|(?:in|on|during) )"
        rf" ?(?P<day>{DAY})",
        terms.tested,
    ),
    (rf"{_TESTED} (?P<day>(?:this|last) (?:week|month|year)|yesterday)", terms.tested),
    (
        rf"{_TESTED} (?:between|from) (?P<first>{DAY}) (?:and|to) (?P<last>{DAY})",
        terms.tested_between,
    ),
    (rf"{_TESTED} (?:{COMPARED} )(?P<span>{SPAN}) ago", terms.tested_ago),
    (rf"{_TESTED} {_WITHIN}(?:(?P<span>{SPAN})|(?P<unit>{_ONE}))", terms.tested_ago),
    (
        rf"(?P<more>{MORE}) (?P<span>{SPAN}) since (?:their |the )?(?:last )?{TEST}",
        terms.tested_ago,
    ),
    (rf"{_NOT_TESTED} since (?P<day>{DAY})", terms.not_tested),
    (
        rf"{_NOT_TESTED} (?:in|for|within|during) (?:the )?(?:last |past )?(?:{MORE} |{LEAST} )?"
        rf"(?:(?P<span>{SPAN})|(?P<unit>{_ONE}(?!s)))",
        terms.not_tested,
    ),
    (rf"{_NOT_TESTED} (?P<period>this (?:week|month|year))", terms.not_tested),
    (
        rf"{_NEVER}(?:tested|seen|examined|had an? {TEST})"
        rf"|(?:with )?(?:no|without an?) {TEST} on record",
        terms.says(never_tested=True),
    ),
    # calls and messages
    (
        rf"{_HAD}(?:been )?(?:{CALLED}|contacted) {_WHEN}(?:last |past )(?P<span>{SPAN})"
        rf"|{_HAD}(?:been )?(?:{CALLED}|contacted) {_WITHIN}(?P<unit>{_ONE})",
        terms.contact,
    ),
    (rf"{_HAD}(?:been )?(?:{CALLED}|contacted) (?:in|within|for) (?P<span>{SPAN})", terms.contact),
    (rf"{_HAD}(?:been )?(?:{CALLED}|contacted) (?P<since>since) (?P<day>{DAY})", terms.contact),
    (
        rf"{_HAD}(?:been )?(?:{CALLED}|contacted) (?:in |during )?"
        r"(?P<day>(?:this|last) (?:week|month|year)|today|yesterday)",
        terms.contact,
    ),
    (
        rf"{_HAD}(?:already |yet )?(?:been )?(?:already |yet )?(?:{CALLED}|contacted)"
        r"(?: before| already| yet)?",
        terms.ever_contacted,
    ),
    (rf"{_NEVER}(?:{CALLED}|contacted)(?: before)?", terms.never_contacted),
    # appointments
    (
        r"(?:(?:with|have|has|having) (?:got )?)?(?:without|no|not got|not have)"
        rf"(?: an?| any)?(?: future| upcoming| booked)? {_BOOKING}",
        terms.appointment(False),
    ),
    (
        r"(?:with|have|has|having) (?:already )?(?:got )?(?:an? |any )?"
        rf"(?:future |upcoming |booked )?{_BOOKING}|(?:already )?booked(?: in)?",
        terms.appointment(True),
    ),
    # how many
    (
        r"(?:and )?(?:only )?(?:(?:the )?(?:first|top|next)|up to|at most"
        r"|no more than|not more than|(?:a )?maximum(?: of)?|max"
        r"|(?:with )?(?:a )?limit(?:ed)?(?: of| to)?|just|only)"
        rf" (?P<count>\d{{1,9}})(?: {PEOPLE})?",
        terms.limit,
    ),
    (rf"(?P<count>\d{{1,9}})(?= {PEOPLE}| {_WHOM}| of (?:the|our|my) )", terms.limit),
    # joints
    (r"and(?: also)?|as well as|plus", terms.kind(Kind.AND)),
    (r"or(?: also)?|and or|either", terms.kind(Kind.OR)),
    (r",|;|but", terms.kind(Kind.COMMA)),
    (r"or else|or otherwise", terms.kind(Kind.ELSE)),
    (r"(?:(?:do|does|did|have|has|had|is|are|was|were|will) )?not", terms.kind(Kind.NOT)),
    (
        r"except(?: for)?|excepting|excluding|exclude|leaving out|leave out|apart from"
        r"|other than|omit|omitting|skip|not including"
        r"|without(?= (?:diabetes|glaucoma|myopia|contact))",
        terms.kind(Kind.EXCEPT),
    ),
    (
        r"(?:everyone|everybody|anyone|anybody|all(?: patients)?) but(?! only)",
        terms.kind(Kind.ALL_BUT),
    ),
    (rf"{PEOPLE}|all|every", terms.kind(Kind.NOUN)),
]

FILLERS = frozenset(
    re.findall(
        r"\w+",
        "call ring phone telephone contact recall remind invite please any of the a an our my we"
        " who that which whose are is were was be been being have has had they their just only"
        " also hello hi",
    )
)
"""Words that say nothing about who is meant."""

_MISLEADING = (
    r"(?:who|that|they) (?:call|ring|phone|telephone|contact(?! ?lens)|recall|remind|invite)",
    rf"(?:have|has|having|had) (?:an? |any |their |our )?(?:{_KIDS}|adults?|teenagers?|patients?)",
)
"""Made of known words, and meaning something else."""

_PURPOSES = (
    rf"(?:for|about) (?:an? |their |the )?(?:next |overdue |annual |routine )?{TEST}",
    rf"(?:to|and) (?:book|invite|get|remind|bring)(?: (?:in|for|to|book|come|about|an?|their"
    rf"|the|{TEST}|appointments?))*",
    r"(?:to )?come (?:back )?in(?: again)?",
    r"because they (?:are|have|were)",
    rf"(?:but|and) only(?: the)?(?: {PEOPLE})?",
    r"(?:i|we) (?:would like|want|need|have)(?: you)? to",
    r"(?:can|could|would|will) (?:you|we|i)|lets",
    r"i (?:would like|want|need)",
    r"give a (?:call|ring)(?: to)?|a (?:call|ring) to",
    r"on our (?:books|list)|in our (?:database|records?)|at (?:the|our) practice|of ours",
)

PATTERNS: list[tuple["re.Pattern[str]", Maker]] = [
    *((re.compile(rf"(?:{text})(?= |$)"), maker) for text, maker in _PHRASES),
    *((re.compile(rf"(?:{text})(?= |$)"), terms.kind(Kind.FILLER)) for text in _PURPOSES),
    *((re.compile(rf"(?:{text})(?= |$)"), terms.refuse) for text in _MISLEADING),
]
