"""Who goes first: the riskiest, then the most overdue. Pure."""

from datetime import date

from patients.models import RiskCategory

RISK_ORDER = (
    RiskCategory.GLAUCOMA_SUSPECT,
    RiskCategory.DIABETIC,
    RiskCategory.OTHER_CLINICAL,
    RiskCategory.MYOPIA_CHILD,
    RiskCategory.CONTACT_LENS,
    RiskCategory.STANDARD,
)


def priority(*, risk: str, due: date, today: date) -> int:
    """Ten thousand per step of risk, plus the days overdue: the larger goes first."""
    rank = RISK_ORDER.index(RiskCategory(risk))
    return (len(RISK_ORDER) - rank) * 10_000 + max(0, min((today - due).days, 9_999))
