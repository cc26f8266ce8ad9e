"""What must be noticed in any utterance, whatever else it holds: opt-out, symptoms, a death.

Tables of patterns over plain words (see `words.py`). In doubt a symptom counts as one and a wish to
be left alone as an opt-out; a plain denial ("no pain at all") does not. Sources: the symptom list
of the domain notes (sudden loss, flashes, floaters, pain, red eye, curtain, double vision, injury)
and how people put those on the phone.
"""

from __future__ import annotations

import re

from recall.voice.conversation import Flag
from recall.voice.words import bare

_RELATIVE = (
    r"husband|wife|partner|mum|mam|mom|mother|dad|father|son|daughter|brother|sister|nan|nana|"
    r"gran|granny|grandma|grandmother|grandad|granddad|grandfather|uncle|auntie|aunt|fiance|"
    r"baby|friend"
)

# --- symptoms ----------------------------------------------------------------------------------

_IDIOMS = re.compile(
    r"colou?r blind|blinds? (?:is|are) (?:down|up)|pain(?:s)? in the (?:neck|arse|backside|bum|"
    r"butt|proverbial)|(?:a|such a|right|real|bit of a) pain (?:to|getting|because|when|trying|"
    r"for me)|you (?:are|lot are) a (?:right |real )?pain|what a pain|(?:will|does|would|"
    r"is) (?:it|the test|the exam\w*|that) (?:hurt|painful|be painful|sore)|in a flash|"
    r"flash drive|red (?:car|door|light|tape|route|cross|lion)|cannot see (?:who|your|"
    r"the number|why|that|myself|the point|it happening|a problem|any problem|any reason|"
    r"what you|how|me (?:coming|making|getting)|you (?:on|before|until|then|today|tomorrow))|"
    r"(?:sick|tired|fed up) of (?:your |these |the )?(?:calls?|calling)"
)
_EYE = r"(?:eyes?|eyelids?|eyeball|vision|sight|eyesight|seeing|see|pupils?)"
_EYE_SYMPTOMS = (
    r"pain(?:s|ful|fully)?|ach(?:e|es|ing|y)|sore(?:ness)?|hurt(?:s|ing)?|swell(?:ing)?|swollen|"
    r"sting(?:s|ing)?|bleed(?:s|ing)?|lump|bruis(?:ed|ing)"
)
_OTHER_BODY = re.compile(
    r"\b(?:back|leg|legs|knee|knees|foot|feet|arm|hip|ankle|shoulder|throat|tooth|teeth|stomach|"
    r"tummy|feelings|finger|wrist|hand|toe)\b"
)
_ALWAYS = (
    r"flicker\w*|fireworks|throb\w*|agony|ulcers?|shingles|itchy|grit|blood in|could not see|"
    r"pressure behind|(?:all|gone|going|bit|so) fuzzy|lens(?:es)? (?:is |are )?stuck|"
    r"spots? in front|floaters?|floaty|lightning|bright lights?|sparkl\w+|bumping into|"
    r"eye strain|cannot read|flashes|flashing|flash of light|flashers|cobwebs?|"
    r"black (?:spots?|dots?|bits?|specks?|things?|lines?)|dark (?:spots?|patch\w*|area|shadow)|"
    r"specks|squiggl\w+|tadpoles|curtain|veil|shadows?|double vision|see(?:ing)? double|"
    r"two of everything|blurr?(?:y|ed|ing|iness|red|ring)?|blurred|zig ?zags?|halo(?:e?s)?|"
    r"tunnel vision|blind spot|blind|blindness|bloodshot|conjunctivitis|photophobia|headaches?|"
    r"migraines?|dizzy|dizziness|stroke|stye|(?:light|bright) hurts|sensitive to (?:the )?light|"
    r"droop(?:y|ing)|gritty|(?:distorted|wavy|wobbly) (?:lines?|vision|sight)|"
    r"lines (?:are |look |go )?(?:wavy|bent)|head injury|emergency|detached retina|"
    r"retinal detachment|cannot see|(?:not|cannot|hardly|barely) (?:really )?see(?:ing)? "
    r"(?:much |things |very )?(?:properly|well|clearly|right|straight|anything|a thing|out of|"
    r"from|with|at all|so well|too well)|(?:hardly|barely) see|(?:struggl\w+|trouble|"
    r"difficult\w*|problems?|hard) (?:to see|seeing|in seeing|with seeing)"
)
_NEAR_EYE = (
    r"blood|gr[ea]y|patch\w*|spots?|floating|disappear\w*|comes|killing|will not open|"
    r"cannot open|different sizes?|red|pink|sticky|weep\w*|runny|water(?:y|ing)|itch\w*|"
    r"infect\w+|discharge|pus|burn\w*|sting\w*|cloudy|misty|foggy|hazy|fuzzy|dim|dull|dark|"
    r"distorted|hit|poked|scratch\w*|punched|banged|bashed|knocked|kicked|elbowed|injur\w+|cut|"
    r"splash\w*|bleach|acid|chemical|cement|glue|stuck|something in|wrong with|problems? with|"
    r"trouble with|worried about|lost|losing|lose|loss|going|gone|went|worse|worsen\w*|"
    r"deteriorat\w+|failing|suddenly|sudden|black|bad|funny|strange|weird|playing up|"
    r"playing me up|swollen|puffy|bulging|dry|jump\w*|twitch\w*|missing|changed|changes"
)
_SYMPTOM = rf"(?:{_ALWAYS}|(?:eye |vision |sight )?(?:{_EYE_SYMPTOMS})|(?:red|sore|sticky) eyes?)"
_FILLER = (
    r"in|any|a|an|the|got|had|have|having|been|be|seen|getting|get|notice|noticed|noticing|"
    r"really|experienced|experiencing|suffering|suffer|from|with|feeling|feel|sudden|severe|bad|"
    r"at all|particularly|more|such|seeing"
)
_DENIED = re.compile(
    rf"\b(?:(?:not|never|without|nor|neither|free of)(?: (?:{_FILLER})){{0,5}}|no(?: (?:real|"
    rf"actual|eye|more|sudden|signs? of|problems? with|any)){{0,2}}) {_SYMPTOM}\b(?:(?:,? (?:or|"
    rf"nor)(?: any| a| no)?|, no) {_SYMPTOM}\b)*"
    r"|\b(?:not|never)(?: (?:have|had|got|having))*(?: any| a| the)? (?:problems?|trouble|"
    r"issues?) (?:with|in|seeing)(?: my| the)?(?: eyes?| sight| vision| eyesight)?\b|"
    r"\b(?:nothing|not anything|no) wrong with (?:my|his|her|the) (?:eyes?|sight|vision|"
    r"eyesight)|\bno (?:problems?|trouble|issues?|worries|changes?) (?:with|in|to) (?:my |"
    r"the )?(?:eyes?|sight|vision|eyesight|seeing)"
)
_CERTAIN = re.compile(rf"\b(?:{_ALWAYS})\b")
_BODILY = re.compile(rf"\b(?:{_EYE_SYMPTOMS})\b")
_EYE_WORD = re.compile(rf"\b{_EYE}\b")
_HEAD = re.compile(r"\b(?:head|temple|face|jaw)\b")
_BY_THE_EYE = re.compile(
    rf"\b(?:{_NEAR_EYE})\b(?: \w+){{0,5}} {_EYE}\b|\b{_EYE}\b(?: \w+){{0,5}} (?:{_NEAR_EYE})\b"
)
_NOT_ABOUT_THE_EYE = re.compile(
    r"\b(?:going|went|gone|go|see|hit|cut) (?:to |and |in )?(?:see|the|my|a|an|you|him|"
    r"her)\b(?! (?:eye|vision|sight))|\bsee (?:you|me|him|her|them|someone|somebody|the|a|an|if|"
    r"how|what|whether)\b|\blet me see\b|\bsee about\b|\byou see\b|\beye (?:test|exam\w*|"
    r"appointment|doctor|clinic|hospital|people|place|care)\w*\b|\bsight ?tests?\b|"
    r"\beyes? (?:tested|checked|done|examined|looked at)\b"
)

# --- opt-out -----------------------------------------------------------------------------------

_CALLING = r"(?:call|ring|phone|contact|bother|text|message|disturb|email|pester|harass)"
_NOT_A_STOP = re.compile(
    r"\b(?:do|did|would|does) not (?:want (?:you |it |them )?to |say (?:to )?|mean (?:to )?|"
    r"need (?:you )?to )?(?:stop|opt out|unsubscribe|cancel)(?:ping|ped)?\b(?: (?:calling|"
    r"ringing|phoning|contacting|texting|emailing)(?: me)?)?|\b(?:never|not) (?:said|saying|"
    r"asking you to|asked you to|telling you to) ?(?:to )?stop\b(?: (?:calling|ringing))?|"
    r"\bno need to (?:stop|take me off|remove me)\b|\bdo not (?:take|remove|opt|delete) (?:me|"
    r"my)\b|\bnot (?:opting|opt|want to opt|wanting to opt) out\b|\bdo not want to (?:opt out|"
    r"be removed|be taken off)\b|\b(?:bus|tram|non|next|full) stop\b|\bstop (?:by|in|off|over|"
    r"at)\b|\bstop(?: (?:for|just|there|right there))? (?:a |one |just a )?(?:minute|second|sec|"
    r"moment|mo)\b|\bstop (?:talking|there)\b|\b(?:stop|stopping) (?:the |this )?record\w*|"
    r"\bwhy (?:did|have) you stop\w*|\bdid you stop\b|\bnot (?:to )?stop\b"
)
_LATER_ONLY = re.compile(
    r"^(?: (?:me|us|here|my mobile|my phone|on this number|back))*(?: (?:at|on|before|after|"
    r"until|till|between|during|while|when|so|too|this|today|tomorrow|tonight|now|right|just|in|"
    r"yet|first|my)\b)"
)
_DO_NOT_CALL = re.compile(
    r"\b(?:do not|never|can you not|could you not|will you not|would you not|you (?:must|"
    r"should) not|not to|you did not|no one to|nobody to)(?: (?:ever|keep|please|dare|you|even|"
    r"to))*"
    rf" (?P<verb>{_CALLING})(?:ing)?\b(?P<rest>.*)"
)
_OPT_OUT = re.compile(
    r"^(?:(?:please|just|no|right|ok|okay|oh|yes|i said|well) )*(?:stop|stop stop|unsubscribe|"
    r"end|quit|optout|revoke)(?: (?:it|this|now|please|stop|thank you|thanks|immediately|that|"
    r"me))*$|"
    rf"\b(?:stop|stopped|quit|cease|stopping) (?:{_CALLING}(?:ing|ring)?|phoning|messaging|"
    rf"pestering|"
    r"harassing|annoying|hounding|(?:these|all|the|your|any|all these|all the|all of these|them|"
    r"sending)(?: \w+)? (?:calls?|ringing|messages?|texts?|emails?|contact)|ringin)\b|"
    r"\bstop (?:these|the) (?:things|nonsense)\b|\b(?:want|like|need) (?:it|this|them|you|"
    r"the calls|these calls|the calls all) (?:all )?to stop\b|\bcalls? (?:to|must|should|"
    r"have to|has to|need to) stop\b|\bno more (?:phone |of these |of your |of the )?(?:calls?|"
    r"calling|contact|messages?|texts?|emails?)\b|\b(?:take|get|strike|cross) (?:me|us|"
    r"my (?:name|number|details)|this number|this phone) (?:off|from|out)\b|\b(?:remove|delete|"
    r"erase|wipe|scrub) (?:me|us|my|this|our)\b|\bunsubscribe\b|\bopt(?:ing|ed)? (?:me )?out\b|"
    r"\bleave (?:me|us|her|him) (?:alone|be|in peace)\b|\b(?:do|does|would|did) not (?:want|"
    r"wish|need|like|appreciate|consent|agree)(?: (?:to be|to get|to have|to receive|to|you to|"
    r"you|any more|any|these|your|more|further|anyone|getting|being|people|machines|robots|a|"
    r"the|all|of|it))*(?: \w+)? (?:calls?|called|calling|contact(?:ed)?|ringing|rung|phoned|"
    r"phone calls?|robo ?calls?|texts|messages|ring|bothered)\b(?P<later>.*)|\bgive it a rest\b|"
    r"\bpack it in\b|\bknock it off\b|\b(?:asked|told|telling|asking|begging|beg|begged) (?:you|"
    r"your lot|them|you lot|you people)(?: \w+){0,2} (?:to stop|not to)\b|\bgo away\b|"
    r"\bget lost\b|\b(?:piss|sod|bugger|fuck|eff|naff|clear) off\b|\bwithdraw (?:my )?consent\b|"
    r"\bharass(?:ment|ing)\b|\btelephone preference\b|\bi will report you\b|\breporting you\b|"
    r"\b(?:sick|tired|fed up|had enough) (?:of|with) (?:all )?(?:your|these|the|you|"
    r"this)(?: \w+)? ?(?:calls?|calling|ringing)\b|\b(?:lose|forget) (?:my|this) number\b|"
    r"\bblock(?:ed|ing)? (?:you|this number|your number)\b|\bnever (?:call|ring|phone|"
    r"contact) (?:me|us|here|this number|again)\b"
)
_NO_MORE = re.compile(
    r"\b(?:not|never)(?: ever)?(?: (?:want|wish|need))?(?: to)? hear (?:any ?thing )?(?:from|"
    r"off) (?:you|your|them|this)\b|\b(?:cancel|end) (?:the|these|all|your|all these) calls\b|"
    r"\b(?:would|will|can|could) you (?:please |just )*stop(?: it| this| now| please)*$|"
    r"\byou (?:need|have|have got|ought) to stop$|\bwish you would stop\b|"
    r"\b(?:be|been|get) (?:removed|taken) (?:from|off)\b|\bstop (?:receiving|getting|"
    r"having) (?:these |your |the |any )?(?:calls?|messages|texts|emails)\b|"
    r"^(?:please )?no more(?: please| thank you)*$|\boff (?:this|the|your) (?:\w+ )?list\b|"
    r"\bnot to be (?:called|contacted|rung|phoned)\b|\bblock me\b|"
    r"^(?:please )?no (?:phone )?calls(?: please| thank you)*$"
)
_FOR_GOOD = re.compile(r"\b(?:again|ever|any ?more|no more|never)\b")

# --- a death -----------------------------------------------------------------------------------

_NOT_A_DEATH = re.compile(
    r"\b(?:nearly|almost|not|could have|would have|thought i had|has not|to) (?:died|dead|die|"
    r"passed away|deceased)\b|\b(?:phone|battery|line|signal|car|dog|cat|rabbit|laptop|"
    r"hearing aid|telly|tv|boiler|it|mobile)(?: (?:has|is|just|have|went|had))* (?:died|dead|"
    r"dying|passed away)\b|\bdead (?:busy|easy|good|line|on|tired|end|heat|set|funny|slow|"
    r"keen)\b|\bpassed (?:on )?(?:it|the message|my test)\b"
)
_DEATH = re.compile(
    r"\bno longer alive\b|\bbereavement\b|\bgone to a better place\b|\b(?:his|her|the) (?:widow|"
    r"widower|executor|executrix|estate)\b|\b(?:he|she) did not make it\b|\b(?:passed|past|"
    r"pass) (?:away|over)\b|\bdeceased\b|\bno longer with us\b|\bnot alive\b|\bin heaven\b|"
    r"^(?:no |sorry )*(?:he|she) (?:is|has) passed$|\bnot with us any ?more\b|"
    r"\bnot around any ?more\b|\b(?:rest in peace|rest his soul|rest her soul|god rest)\b|"
    r"\b(?:i|we)(?: have| had)?(?: just| recently| sadly)? (?:lost|buried|cremated) (?:him|her|"
    r"them|"
    rf"(?:my |our )?(?:\w+ )?(?:{_RELATIVE}))\b|\b(?:his|her|their|the|mum s|dad s) funeral\b|"
    rf"\b(?:my|our|the|her|his) late (?:{_RELATIVE})\b|\b(?:he|she|they|it was|who|patient|lady|"
    rf"gentleman|man|woman|person|{_RELATIVE}|[a-z]+)"
    r"(?: (?:has|have|had|is|was|are|sadly|unfortunately|actually|just|now|been|also|only|"
    r"already|recently)){0,4} (?:died|dead|deceased|passed (?:on|last|in|a|on sunday))\b|"
    r"^(?:died|dead)\b"
)
_SOMEBODY_OF_MINE = re.compile(
    rf"\b(?:my|our)(?: \w+)? (?:{_RELATIVE})\b|\b(?:i|we)(?: have| had)?(?: just| recently|"
    rf" sadly)? lost (?:my |our |a )?(?:\w+ )?(?:{_RELATIVE})\b"
)

_NO_RECORDING = re.compile(
    r"\bno record\w*|\bnot (?:be )?record\w*|\bnot (?:want|like|wish|agree|consent|"
    r"happy)(?: \w+){0,5} record\w*|\bwithout (?:being )?record\w*|\b(?:stop|refuse|decline|"
    r"turn off|switch off)(?: the| this| to be| being| any)? ?record\w*|\brather (?:you did |"
    r"it was |i was |this was )?not (?:be )?record\w*|\brecord\w* off\b|\bnever record\b|"
    r"\bobject to (?:the |being )?record\w*"
)
_RECORDING_FINE = re.compile(r"\bnot (?:mind|bothered|object|fussed)(?: \w+){0,5} record\w*")


def flags(text: str) -> frozenset[Flag]:
    """Everything in `words.plain` text that must be acted on."""
    found: set[Flag] = set()
    said = bare(text)
    if _is_death(said):
        found.add(Flag.DECEASED)
        if _SOMEBODY_OF_MINE.search(said):
            found.add(Flag.BEREAVED)
    if is_opt_out(said):
        found.add(Flag.OPT_OUT)
    if is_symptom(text):
        found.add(Flag.SYMPTOMS)
    if _NO_RECORDING.search(_RECORDING_FINE.sub(" ", said)):
        found.add(Flag.NO_RECORDING)
    return frozenset(found)


def is_symptom(text: str) -> bool:
    """Whether any clause speaks of a symptom that is not plainly denied."""
    return any(_clause_is_symptom(clause) for clause in _clauses(text))


def is_opt_out(text: str) -> bool:
    """Whether the person wants no more calls. "Not before nine" and "not now" are no such wish."""
    cleaned = _NOT_A_STOP.sub(" ", text)
    if (found := _DO_NOT_CALL.search(cleaned)) and _is_about_us(found):
        return _for_good(found["rest"])
    if _NO_MORE.search(cleaned):
        return True
    if found := _OPT_OUT.search(cleaned):
        return found["later"] is None or _for_good(found["later"])
    return False


def _is_about_us(found: re.Match[str]) -> bool:
    """ "Don't bother" alone refuses what was offered, not all calls."""
    return found["verb"] != "bother" or bool(
        re.match(r" (?:me|us|her|him|them|again|calling|ringing|phoning)\b", found["rest"])
    )


def _for_good(rest: str) -> bool:
    return bool(_FOR_GOOD.search(rest)) or not _LATER_ONLY.search(rest)


def _clauses(text: str) -> list[str]:
    return re.split(r"[;.!?]| but | and | although | though | however | because | except ", text)


def _clause_is_symptom(clause: str) -> bool:
    left = _DENIED.sub(" ", _IDIOMS.sub(" ", clause))
    if _CERTAIN.search(left):
        return True
    if _BODILY.search(left):
        about_eyes = _EYE_WORD.search(left) or _HEAD.search(left)
        if about_eyes or not _OTHER_BODY.search(left):
            return True
    return bool(_BY_THE_EYE.search(_NOT_ABOUT_THE_EYE.sub(" ", left)))


def _is_death(text: str) -> bool:
    return bool(_DEATH.search(_NOT_A_DEATH.sub(" ", text)))
