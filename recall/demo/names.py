"""Names for made-up patients, by the years in which they were given; a town's mix of surnames."""

_BY_ERA: dict[int, str] = {
    1950: "Joan Betty Dennis Kenneth Sheila Ronald Doris Eileen Raymond Beryl Audrey Leonard"
    " Norman Jean Gwyneth Harbans Olive Stanley Winifred Cyril",
    1970: "Margaret Linda Alan Susan Keith Janet Trevor Sandra Graham Siân Nigel Surinder"
    " Patricia Geoffrey Yvonne Malcolm Zofia Delroy Carol Clive Maureen Anil",
    1990: "Sarah Paul Nicola Andrew Tracey Mark Samina Karen Darren Joanne Simon Meera Kwame"
    " Claire Neil Agnieszka Gareth Lisa Imran Deborah Ian Shirin",
    2007: "Emma Daniel Chloë Ryan Aisha Thomas Laura Adam Priya Lewis Zoë Callum Olumide"
    " Hannah Rhys Katarzyna Jack Bethan Mohammed Lucy Connor Niamh",
    9999: "Olivia Noah Amelia Arthur Isla Muhammad Ava Leo Freya Theo Mia Oscar Aanya Finley"
    " Zara Harry Maryam Alfie Seren Kofi",
}
_SURNAMES = (
    "Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Robinson Wright Thompson Evans"
    " Walker White Roberts Green Hall Wood Jackson Clarke Khan Lewis Harris Cooper Ward Turner"
    " Martin Edwards Hughes Morris Singh Ahmed Begum Kaur O’Neill Kowalski Nowak Osei Adeyemi"
    " Mensah Okafor Campbell Stewart MacDonald Murphy Kelly Byrne Fernandes D’Souza Rahman"
    " Hussain Ali Shah Mistry Desai Chowdhury Nguyen Chan Wong Rossi Silva Popescu Ionescu"
    " Bennett Griffiths Llewellyn Pritchard Cole Marsh Whitfield Barker Fletcher Pearce"
    " Hargreaves Ashworth Ellis-Grant Fitzgerald Sørensen Lindqvist Müller Haddad Yilmaz Demir"
    " Petrova Bailey"
)
SURNAMES: tuple[str, ...] = tuple(_SURNAMES.split())


def first_names(birth_year: int) -> tuple[str, ...]:
    """The names that were given around that year."""
    return tuple(next(names for until, names in _BY_ERA.items() if birth_year < until).split())
