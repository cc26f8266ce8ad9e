"""What the staff pages read: a fixed number of queries each, from one practice, never writing.
Nothing here decides; `eligibility` and `wording` do.
"""

from recall.selectors.appointments import (
    Day,
    appointments_between,
    awaiting_mark,
    messages_of,
    week,
)
from recall.selectors.calls import (
    OF_CALLS,
    SPOKEN,
    attempts_of_episode,
    call_with_turns,
    calls,
    of_person,
    on_day,
    with_outcome,
)
from recall.selectors.campaigns import (
    Progress,
    campaign_episodes,
    campaigns,
    latest_attempts,
    left_out,
    next_moment,
    progress,
    waiting_to_leave,
)
from recall.selectors.copies import Waiting, copies_of, systems_waiting
from recall.selectors.funnel import (
    KEPT,
    Step,
    steps,
)
from recall.selectors.messages import DELIVERY, messages, with_delivery
from recall.selectors.today import (
    FUNNEL_DAYS,
    HIGH_RISK,
    JUST_ENDED,
    TASKS_SHOWN,
    Numbers,
    Quota,
    funnel,
    in_the_air,
    numbers,
    open_episode,
    open_tasks,
    quota,
    tasks_of,
)

__all__ = [
    "DELIVERY",
    "FUNNEL_DAYS",
    "HIGH_RISK",
    "JUST_ENDED",
    "KEPT",
    "OF_CALLS",
    "SPOKEN",
    "TASKS_SHOWN",
    "Day",
    "Numbers",
    "Progress",
    "Quota",
    "Step",
    "Waiting",
    "appointments_between",
    "attempts_of_episode",
    "awaiting_mark",
    "call_with_turns",
    "calls",
    "campaign_episodes",
    "campaigns",
    "copies_of",
    "funnel",
    "in_the_air",
    "latest_attempts",
    "left_out",
    "messages",
    "messages_of",
    "next_moment",
    "numbers",
    "of_person",
    "on_day",
    "open_episode",
    "open_tasks",
    "progress",
    "quota",
    "steps",
    "systems_waiting",
    "tasks_of",
    "waiting_to_leave",
    "week",
    "with_delivery",
    "with_outcome",
]
