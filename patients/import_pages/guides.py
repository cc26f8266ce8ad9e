"""How to get the list out of each practice system, as far as that can be said for certain.

No vendor publishes its export format, and menus move from version to version. So a guide says what
to look for and what to tick, never a click path that may not be there.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guide:
    """One system: what ``known`` rests on, ``steps`` in order, ``calls_it`` as (our field, the word
    it uses there), and what to ``mind``. ``direct`` systems can be connected instead of exported.
    """

    slug: str
    name: str
    known: str
    steps: tuple[str, ...]
    calls_it: tuple[tuple[str, str], ...] = ()
    mind: tuple[str, ...] = ()
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its plain name, whether it is needed, and what may stand in it."""

    name: str
    needed: str
    holds: str


COLUMNS = (
    Column("first_name", "Needed", "Also called forename or given name."),
    Column("last_name", "Needed", "Also called surname. One column with the whole name works too."),
    Column(
        "phone_number",
        "This or email",
        "Any UK spelling. Of several phone columns the mobile is taken first.",
    ),
    Column("email", "This or phone", "For the email that follows an unanswered call."),
    Column(
        "last_eye_test_date",
        "Worth having",
        "DD/MM/YYYY, YYYY-MM-DD, 3 Apr 2024 and most others. Without it, or a recall date, the"
        " patient counts as due now.",
    ),
    Column(
        "risk_category",
        "Worth having",
        "diabetic, glaucoma_suspect, myopia_child, contact_lens, other_clinical or standard. Words"
        " like “T2 diabetes” are understood; anything else becomes standard, and is counted.",
    ),
    Column(
        "date_of_birth", "Worth having", "The call asks for it before it says anything clinical."
    ),
    Column("nhs_number", "Optional", "Ten digits, checked."),
    Column(
        "patient_id",
        "Worth having",
        "The number the system gives the patient. With it, a changed phone number or name updates"
        " the record instead of making a second one.",
    ),
    Column("recall_date", "Optional", "When the system says the next test is due."),
    Column("title", "Optional", "Mrs, Dr and so on."),
    Column(
        "sms_ok, email_ok, do_not_contact, deceased",
        "Worth having",
        "Yes or no. A no is kept as an opt-out; a yes never undoes one.",
    ),
)

EXAMPLE = (
    (
        "patient_id",
        "first_name",
        "last_name",
        "phone_number",
        "email",
        "date_of_birth",
        "last_eye_test_date",
        "risk_category",
    ),
    (
        "1001",
        "Siobhan",
        "O'Connor",
        "07700 900701",
        "siobhan@example.org",
        "23/03/1961",
        "15/01/2024",
        "standard",
    ),
    ("1002", "Gareth", "Hughes", "07700 900702", "", "14/11/1978", "30/06/2023", "diabetic"),
    ("1003", "Adaeze", "Okafor", "", "adaeze@example.org", "19/09/1985", "", "contact_lens"),
)
"""People who do not exist, at numbers kept for fiction."""

_NOTHING = "We have found no public description of its exports, so this is general advice."
_SAVE = "Save it as CSV or Excel. If it only prints, ask the vendor how to save it to a file."
_EVERYONE = (
    "Choose every active patient, not only those due this month: SightSync works out who is due."
)

GUIDES = (
    Guide(
        "optix",
        "Optix",
        _NOTHING,
        (
            "Look in the reports for a list of patients, or of recalls, that can go to a file.",
            _EVERYONE,
            "Add the columns for names, mobile, email, date of birth, last test and recall type.",
            _SAVE,
        ),
        direct=True,
    ),
    Guide(
        "acuitas",
        "Acuitas (Ocuco)",
        _NOTHING,
        (
            "Look in the reports or the marketing part for a patient list with the recall date.",
            _EVERYONE,
            "Add names, mobile, email, date of birth, last exam and the patient’s number.",
            _SAVE,
        ),
        (),
        ("Versions arrange their reports differently. Ask Ocuco if yours has no such list.",),
        direct=True,
    ),
    Guide(
        "optisoft",
        "Optisoft",
        "The words are those of Optisoft’s public help pages.",
        (
            "Open the Report Generator, which reads patients, recalls and appointments.",
            "Set the criteria so wide that every active patient is found.",
            "Add Surname, First Names, Title, the phone numbers, email and the recall’s dates.",
            "Choose the simple list as the output, not the letter, and save it as a file.",
        ),
        (
            ("last_name", "Surname"),
            ("first_name", "First Names"),
            ("last_eye_test_date", "Start Date on the Recall tab"),
            ("sms_ok, email_ok", "The tick boxes for SMS and email agreed"),
        ),
        (
            "A patient can have up to three recalls: spectacles, contact lenses, schemes. If the"
            " list has a row for each, keep the one for the sight test.",
        ),
        direct=True,
    ),
    Guide(
        "flex",
        "FLEX (Optinet)",
        "The words are those of Optinet’s public help pages.",
        (
            "Open Data Mining and search for your active patients without further conditions.",
            "Show the columns for names, mobile, email, date of birth and last examination.",
            "Add the recall category if your version offers it.",
            _SAVE,
        ),
        (("risk_category", "Recall category"), ("last_eye_test_date", "Last sight test")),
        (
            "FLEX keeps recalls for sight tests and for contact lenses apart, and any number of"
            " additional ones. Export the one for the sight test.",
            "Recall categories have names of your own choosing. Those we do not understand become"
            " standard; the page counts them before anything is written.",
        ),
    ),
    Guide(
        "orasis",
        "Orasis",
        _NOTHING,
        (
            "Look in the reports or the recall part for a patient list that can go to a file.",
            _EVERYONE,
            _SAVE,
        ),
    ),
    Guide(
        "vision-plus",
        "Vision Plus",
        _NOTHING,
        (
            "Look in the reports for a patient list, or for the data behind the recall letters.",
            _EVERYONE,
            _SAVE,
        ),
        (),
        ("The file behind a mail merge works as well: it has names, and often the due date.",),
    ),
    Guide(
        "opticabase",
        "Opticabase",
        "The words are those of Opticabase’s public help pages.",
        (
            "Open Reminders and set its two dates so far apart that everybody is in between.",
            "Update the list, select all, and open the Phone List.",
            "Save that list as a file, or ask the vendor for the patient table as CSV.",
        ),
        (("recall_date", "Next Exam"),),
        (
            "Reminders is built for sending. Stop before the step that sends emails or texts.",
            "The list has who is due between the dates: patients without a next exam are missing.",
        ),
    ),
    Guide(
        "any-other",
        "Any other system",
        "Whatever can write its patients into a spreadsheet will do. That is true of all of them.",
        (
            "Find a list, report or mail merge of all patients, with their phone numbers.",
            "Save it as CSV or Excel. Titles above the header, semicolons and old encodings do no"
            " harm.",
            "If your columns have other names, you are asked once which is which.",
        ),
        (),
        (
            "Do not sort or edit it in Excel first: Excel turns 07700 900123 into 7.7E+09, and what"
            " it has cut off nobody can put back.",
        ),
    ),
)
