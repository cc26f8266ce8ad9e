"""The table of what people say that means the same at every question, first match wins.

Patterns run over `words.bare` text. `{name}` stands for the patient's first name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from recall.voice.conversation import Kind, Stage

_IDENTITY = frozenset({Stage.IDENTITY, Stage.NUMBER_CHECK})
_TALK = frozenset({Stage.OFFER, Stage.READ_BACK, Stage.CALL_BACK})
_KIN = (
    r"(?:husband|wife|partner|mum|mam|mom|mother|dad|father|parent|son|daughter|brother|sister|"
    r"nan|gran|granny|grandma|grandmother|grandad|grandfather|uncle|aunt|auntie|carer|flatmate|"
    r"housemate|girlfriend|boyfriend|neighbour|friend|colleague|secretary|guardian|babysitter|"
    r"nanny|childminder|cleaner|lodger|landlord|stepmum|stepdad|support worker)"
)
_AWAY = (
    r"(?:out|away|not (?:here|in|home|available|around|about|up|well enough)|at (?:work|school|"
    r"college|university|the shops|the doctors|a meeting)|asleep|in bed|in the (?:bath|shower|"
    r"garden)|in hospital|on holiday|busy|working|gone out|just gone out|popped out|abroad|"
    r"in a care home|in a home|in prison|upstairs|sleeping|driving|on the other line|"
    r"on another call)"
)


@dataclass(frozen=True)
class Phrase:
    kind: Kind
    pattern: str
    reason: str = ""
    stages: frozenset[Stage] | None = None


TABLE: tuple[Phrase, ...] = (
    Phrase(
        Kind.HUMAN,
        r"(?:speak|talk|chat) (?:to|with) (?:a |an |the |some|any)?(?:\w+ )?(?:real )?(?:person|"
        r"human|someone|somebody|one|body|receptionist|reception|staff|optician|optometrist|"
        r"manager|operator|adviser|advisor|people|human being|practice)|\b(?:real|actual|proper|"
        r"live) (?:person|human)|\boperator\b|put me through|transfer me|connect me|\ba human\b|"
        r"\bhuman being\b|(?:can|could|get|have|ask|would) (?:you )?(?:get |ask )?(?:someone|"
        r"somebody|a person|the receptionist|the practice|a member of staff|reception|"
        r"one of the girls)(?: please)?(?: to| from the practice)? (?:call|ring|phone|speak|"
        r"talk|contact)|not (?:talking|speaking) to (?:a|this) (?:machine|robot|computer)|"
        r"hate (?:talking|speaking) to (?:machines|robots|computers)|customer service|"
        r"(?:speak|talk) (?:to|with) (?:mr|mrs|ms|miss|dr|doctor) ",
        "asked",
    ),
    Phrase(
        Kind.HUMAN,
        r"(?:cancel|move|change|rearrange|reschedule|about) (?:my|the|an|our) (?:appointment|"
        r"booking)",
        "appointment",
    ),
    Phrase(
        Kind.HUMAN,
        r"\bi am (?:a bit |very |rather |quite )?(?:deaf|hard of hearing)|"
        r"cannot hear (?:very )?well|hearing aid|use sign language",
        "hearing",
    ),
    Phrase(
        Kind.HUMAN,
        r"(?:not|no) (?:speak |understand )?(?:very )?(?:much |good )?english|interpreter|"
        r"translator",
        "language",
    ),
    Phrase(
        Kind.HUMAN,
        r"house ?bound|bed ?bound|cannot (?:get|go|come) (?:out|there|in|down|to you)|"
        r"cannot leave the house|wheelchair|no transport|no way of getting|cannot drive|"
        r"cannot travel|home visits?",
        "cannot_travel",
        _TALK,
    ),
    Phrase(
        Kind.WRONG_PERSON,
        r"wrong (?:number|person|house|one|guy|lady|woman|man|bloke|family|people)|"
        r"(?:no ?one|nobody|no such person|there is no|not anyone|not anybody|is not (?:anyone|"
        r"anybody|a))(?: \w+){0,3} (?:by|of|called|with|named|here called) |"
        r"does not live (?:here|at)|(?:do|does) not know (?:any|an|a|this|that|him|her|"
        r"who that is|who you mean|who you are (?:talking|on) about|nobody|{name})|"
        r"never heard of|(?:he|she|they|{name})(?: has| have| is)? (?:moved|left)\b|"
        r"(?:not|no longer) (?:at|on) this (?:number|address)|no longer (?:lives|here|live|at)|"
        r"not live here|used to live here|(?:this is not|not) (?:her|his|their|"
        r"{name}s?) (?:number|phone)|had this number|new number|no {name} here|"
        r"there is no {name}|not called {name}|changed (?:his|her|their) number|got the wrong|"
        r"this is a (?:business|shop|pub|school|fax)",
    ),
    Phrase(
        Kind.HOLD,
        r"(?:i will|let me|i can|going to|just) (?:just )?(?:(?:get|fetch|grab|find|put) (?:him|"
        r"her|them|{name}|my \w+|the diary|a pen|the calendar|it)|call (?:him|her|{name}))|"
        r"^(?:yes |ok |just )*(?:hold on|hang on|one (?:moment|second|sec|minute)|"
        r"(?:just )?a (?:moment|second|sec|minute|mo)|wait|bear with me|give me a (?:moment|"
        r"second|sec|minute)|two (?:secs|seconds|minutes|ticks))(?: please| there| a (?:minute|"
        r"second|moment|sec|mo))*|pass(?:ing)? you (?:over|on|to)|here (?:he|she) (?:is|comes)|"
        r"hold (?:the line|on)|let me (?:check|look|see)\b|i will (?:check|have a look)|"
        r"checking my",
    ),
    Phrase(
        Kind.SOMEONE_ELSE,
        rf"(?:he|she|they|{{name}}|mum|dad|mummy|daddy|my \w+)(?: (?:is|are|has|have|will be|"
        rf"was|just|gone|currently|at the moment|usually))* {_AWAY}|^(?:not (?:here|in|"
        rf"available|home)|out)"
        r"(?: at the moment| right now| today| just now| i am afraid| sorry)*$|"
        r"(?:can|could|shall|may) i (?:take|pass on|give|leave) (?:him |her |"
        r"them )?(?:a )?message|can i ask (?:him|her) to|on (?:his|her|their|"
        r"behalf of)(?: behalf)?\b|i am only (?:six|seven|eight|nine|ten|eleven|twelve|five|"
        r"four|[4-9]|1[0-2])|i am (?:six|seven|eight|nine|ten|eleven|twelve|five|four)\b|"
        r"(?:speak|talk) (?:for|on behalf of) (?:him|her|them)|i (?:look after|care for) (?:him|"
        r"her)|(?:he|she|they) (?:does|do) not (?:speak|talk|use|answer|like|do)|"
        r"power of attorney",
    ),
    Phrase(
        Kind.ALREADY_BOOKED,
        r"(?:already|have|got|have got|am|am already|been)(?: \w+)?(?: \w+)? (?:booked|"
        r"an appointment|appointment|one booked|one in the diary)\b(?! for (?:something|"
        r"someone))|(?:booked|made) (?:one|it|mine|an appointment|online|"
        r"in)(?: \w+){0,2} (?:already|online|yesterday|last|on|with you|the other day|this)|"
        r"my appointment is|coming in (?:on|next|this) \w+ (?:already|anyway)",
        stages=_TALK | {Stage.IDENTITY},
    ),
    Phrase(
        Kind.WILL_RING,
        r"(?:text|email|e mail|message|whats ?app|send)(?: it| them| that|"
        r" the \w+)?(?: to)? me\b|send (?:me )?(?:a |the )?(?:link|text|email|letter|message)|"
        r"by (?:text|email|letter|post)\b|in writing",
        "wants_message",
    ),
    Phrase(
        Kind.WILL_RING,
        r"i will (?:call|ring|phone|contact|give) (?:you|them|the|it|in|up|back|yous|myself|"
        r"when|later|tomorrow)|i will (?:book|do it|sort it|go) (?:it |one )?(?:online|myself|"
        r"on the website)|i will (?:pop|come|go|drop|call) (?:in|into|down)|rather (?:ring|call|"
        r"phone|book online)|ring them myself|i will be in touch|get back to you",
    ),
)  # fmt: skip

MACHINE = (
    r"(?:leave|record) (?:a|your|me a|us a)(?: \w+)? ?(?:message|name)|(?:after|at) the (?:tone|"
    r"beep)|voice ?mail|cannot (?:take|answer) your call|unable to (?:take|answer) your call|"
    r"(?:not|is) (?:un)?available to (?:take|answer)|person you are (?:calling|ringing|trying)|"
    r"answer ?phone|mailbox|get back to you as soon|please hang up"
)
WHO = (
    r"who is (?:this|calling|it|that|speaking|ringing)|who(?: am)? (?:are you|i speaking|"
    r"am i talking|i talking)|who (?:is )?(?:wants|calling|asking)|what is (?:this|it|"
    r"that) (?:about|regarding|for|in connection|concerning|all about)|what (?:do|"
    r"are) you (?:want|after|selling|ringing|calling)|why are you (?:calling|ringing|phoning)|"
    r"(?:is this|are you) (?:a |an |some )?(?:scam|real|genuine|robot|machine|computer|"
    r"recording|automated|ai|person|human|selling|sales|spam|fraud)|how did you get (?:my|"
    r"this) (?:number|details)|where are you (?:calling|ringing|phoning) from|what company|"
    r"which (?:practice|optician|company|shop)|where did you get|"
    r"is (?:this|that|it) about (?:my|his|her)|what is it$|is it (?:important|urgent)|"
    r"what practice|who did you say|says who|who wants to know|what for$|am i speaking to a"
)
REPEAT = (
    r"^(?:sorry |yes |hello |oh )*(?:pardon(?: me)?|what|eh|huh|sorry|come again|say (?:that|"
    r"it) again|again|repeat|what was that|what did you say|excuse me)(?: please| again|"
    r" sorry)*$|(?:can|could|would|will) you (?:please )?(?:repeat|say (?:that|it)|go over|"
    r"read (?:that|them|those))|(?:say|repeat|read) (?:that|it|them|"
    r"those)(?: out)?(?: times)? again|did not (?:catch|hear|get|understand) (?:that|you|a|what|"
    r"any)|cannot hear(?: you)?|(?:speak|talk|go) (?:up|slower|more slowly|slowly|louder)|"
    r"slow down|too fast|what (?:time|day|date) (?:was|is|did)|^(?:ok |but |sorry )*(?:which|"
    r"what) (?:day|time|date|one)|go back|what (?:were|are) (?:the|those|my) (?:times|options|"
    r"choices|dates)|^repeat|say again|missed that|you are breaking up|bad line|run (?:that|"
    r"those) (?:by|past) me"
)
QUESTION = (
    r"^(?:and |but |ok |well |so |hello |yes )*(?:how (?:much|long|many|do i get)|"
    r"what (?:does it|do i need|is the (?:cost|price|address)|happens|time do you)|"
    r"where (?:is|are you|do i)|is there (?:any )?parking|do (?:i|you) (?:need|have to|do|take|"
    r"have a|sell|still|get)|is it (?:free|nhs|on the nhs|far)|will (?:it|i|they|there)|"
    r"can i (?:bring|drive|wear|park|have|get a)|who (?:will|would|is it with)|"
    r"which (?:branch|optometrist)|does it|should i|am i|are you open|what about|why do i)|"
    r"how much (?:is|does|will|do)|do i have to pay|is it going to hurt|what will they do"
)
BUSY = (
    r"(?:call|ring|phone)(?:ing)? (?:me |us |him |her |them |{name} )?back|"
    r"(?:call|ring|phone|try)(?: me| us| him| her| them| {name}| again)*(?: a bit| some time|"
    r" sometime| maybe| back)? (?:later|tomorrow|another (?:time|day)|next|in \w|on \w|after|"
    r"at |this|before|when|tonight|around|between|monday|tuesday|wednesday|thursday|friday|"
    r"again|any ?time)|(?:i am|am|i am just|currently|am just|we are|still)(?: \w+)? (?:driving|"
    r"at work|in a meeting|busy|on (?:the|a|my) (?:bus|train|tube|motorway|way|loo|toilet|other|"
    r"call)|at the (?:doctors|dentist|hospital|shops|school|airport)|eating|cooking|on holiday|"
    r"away|abroad|working|in the (?:car|bath|shower|middle|shop|supermarket)|ill|poorly|unwell|"
    r"not (?:very |feeling )?well|in hospital|having (?:my|our|lunch|tea|dinner)|in bed|out|"
    r"at a funeral|at lunch|in work|about to)|(?:bad|not a good|not a great|not the best|"
    r"not a convenient|inconvenient|wrong|awkward) (?:time|moment)|cannot (?:talk|speak|chat)|"
    r"not convenient|^(?:sorry |no )*(?:not (?:right )?now|later|another time|not just now|"
    r"maybe later|later please|later on|later today)(?: please| thank you| sorry)*$|"
    r"try (?:again|later|me)|(?:he|she|they|{name}) (?:will be|is|are)(?: back| home| in|"
    r" here)+ (?:at|after|later|tomorrow|on|in|around|about|this|tonight|by)|back (?:at|after|"
    r"around|about|by|in) \w+|another time would be better|not (?:call|ring|phone|contact|"
    r"text)(?:ing)? (?:me|us|here|now|today|so|before|after|until|at|on)|(?:phone|"
    r"battery) (?:is )?(?:about to|dying|dead|going)"
)
DECLINE: tuple[tuple[str, str], ...] = (
    ("tested_elsewhere",
     r"changed (?:my )?(?:opticians?|practice)|only (?:went|came|been|had|saw) |"
     r"not (?:even )?due|(?:been|had|have had|got|went|gone|having|have|go|going|switched|moved|"
     r"changed|use|using|seen|see|see an|with|at|to)(?: \w+){0,6} (?:spec ?savers|"
     r"vision express|boots|another optician\w*|different optician\w*|elsewhere|somewhere else|"
     r"other optician\w*|new optician\w*|optical express|asda|tesco|scrivens|leightons|"
     r"a different (?:practice|place|one))|(?:already|just|have|recently|only) (?:been|"
     r"had (?:it|them|mine|one|a test|an eye test|my eyes|that)|had my|had (?:it|them) done)|"
     r"had (?:it|them|mine|my eyes|one|an eye test|a test|a check\w*|the test|"
     r"an exam\w*)(?: \w+)? ?(?:done|tested|checked|last|in|recently|already|a few|two|not long|"
     r"this|just)|my eyes (?:were|have been|got) (?:tested|done|checked)|specsavers|"
     r"under the hospital|at the hospital eye"),
    ("cost",
        r"too (?:expensive|dear|much money)|cannot afford|costs? too much|no money|not paying|"
        r"(?:do not|not) have the money"),
    ("moved",
        r"(?:i|we) (?:have |am |are )?(?:just )?(?:moved|moving|live|living)(?: \w+)? (?:away|"
        r"house|to|abroad|in|out|now)|too far"),
    ("not_now",
        r"not (?:today|for now|just yet|yet|this (?:time|year|week|month)|at (?:the|"
        r"this) (?:moment|time|present|minute))|(?:will|want to|need to|have to|"
        r"let me) think about it|maybe (?:another|next|some|in)|some other time|next year|"
        r"i will (?:see|leave it for now)|not ready|(?:perhaps|maybe) not"),
    ("not_interested",
        r"not interested|no interest|not (?:think|believe|feel)(?: that)? (?:i|we) (?:need|"
        r"want)|not (?:want|need|require|wish|fancy|care|like)(?! to stop)(?: \w+){0,3} (?:one|"
        r"it|appointment|book|come|anything|test|exam\w*|check\w*|glasses|go|do|to|them|any|"
        r"that|eye)|not (?:want|need) (?:an|a|any|to(?! stop))\b|not for me|no need|"
        r"not bothered|leave it|rather not|^pass$|not coming|do not (?:bother|think so|"
        r"want to(?! stop)|need to|fancy)|not necessary|eyes are (?:fine|ok|good|great|perfect|"
        r"alright)|nothing wrong|i will pass|forget it|no chance|not happening|waste of time|"
        r"i refuse|never mind|not really|decline"),
    ("",
        r"^(?:oh |ok |well |um |er |erm )*no (?:thank you|i am (?:fine|good|ok|all right|"
        r"alright|all good)|it is (?:fine|ok|all right|alright)|that is (?:fine|ok|all right|"
        r"alright|all)|you are all right|sorry|need|thank)|^(?:i am (?:fine|good|ok|all right|"
        r"alright|all good)|you are all right)(?: thank you)*$|thank you but no|no thank you|"
        r"not thank you|but no thank"),
)  # fmt: skip
_LEAD = (
    r"^(?:oh |um |er |erm |well |ah |hello |hi |hiya |good morning |good afternoon |"
    r"good evening |sorry |right |and |but |ok so )*"
)
IS_ME = (
    _LEAD + r"(?:yes|speaking|it is(?: me| i)?(?: yes)?$|it is (?:me|{name})\b|that is (?:me|right|"
    r"correct|her|him)|correct|indeed|you are(?: speaking to (?:her|him|me))?$|certainly|"
    r"of course|definitely|absolutely|sure|affirmative)\b(?! not)"
)
NOT_ME = (
    _LEAD + r"(?:(?:certainly|definitely|absolutely|of course) not|no|not|negative|wrong|it is not|"
    r"i am not|this is not|none|neither|never|nothing)\b"
)
YES = (
    _LEAD + r"(?:yes|no problem|no worries|not a problem|correct|that is (?:right|correct|fine|"
    r"grand|ideal|great|good|lovely|perfect|ok|all right|alright|the one|it)|sure|certainly|"
    r"of course|go (?:on|ahead|for it)|definitely|absolutely|please do|ok|all right|alright|"
    r"fine|perfect|lovely|great|brilliant|fantastic|good|sounds (?:good|great|fine|perfect|"
    r"lovely)|that works|works for me|book (?:it|that|me)|affirmative|confirm(?:ed)?|"
    r"that will (?:do|be)|that would be|i can (?:do|make) (?:that|it)|wonderful|grand|ideal|"
    r"why not|if you like|bob on|i think so|suits me|spot on|magic|thank you|please$|"
    r"excellent|super|smashing|uh huh|mm hmm|mhm|cool|deal|indeed)\b(?! not)"
)
NO = (
    _LEAD + r"(?:certainly not|definitely not|absolutely not|of course not|no|negative|none|never|"
    r"neither|do not)(?: (?:no|sorry|not|really|it is|is|that|this|one|wrong|i do|i cannot|"
    r"cannot|i will|do|did|that is|wrong|right|book|it|that one|mate|love|dear|never|"
    r"you))*$|^that is (?:wrong|not right|not it)"
)
GREETING = (
    r"^(?:(?:hello|hi|hiya|hey|good (?:morning|afternoon|evening|day)|alright|morning|afternoon|"
    r"evening|allo|ello|hullo|there|is anyone there|anyone there|are you there|can you hear me|"
    r"the \w+ residence|\w+ household) ?)+$"
)
KIN = _KIN


def compiled(pattern: str, name: str) -> re.Pattern[str]:
    """The pattern for a call to one person. `name` is plain words; blank matches nobody."""
    return re.compile(pattern.replace("{name}", re.escape(name) if name else "nobodyatall"))
