"""Telephone numbers: what one costs against phonenumbers' own parsing, and whether the fast path
agrees with it on a million mutated numbers.
"""

import random

import phonenumbers

from bench import measure
from patients import phone
from tests.patients import test_phone

SPELLINGS = ("0{}", "+44{}", "0044{}", "+44 (0){}", "{}")


def main() -> None:
    rng = random.Random(20261121)
    clean = [
        rng.choice(SPELLINGS).format(rng.choice(("7400", "7812", "1344", "2079")) + f"{n:06d}")
        for n in rng.sample(range(10**6), 20_000)
    ]

    def ours() -> None:
        for text in clean:
            phone.parse(text)

    def library() -> None:
        for text in clean:
            number = phonenumbers.parse(text, "GB")
            phonenumbers.is_valid_number(number)
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    fast, slow = measure.side_by_side(ours, library, rounds=3)
    wrong = sum(len(test_phone.disagreements(seed=seed, count=100_000)) for seed in range(10))
    each = f"{fast / len(clean) * 1e6:.1f} us against {slow / len(clean) * 1e6:.1f} us"
    measure.report(
        [
            measure.Line("a number against phonenumbers itself", fast / slow, 0.2, note=each),
            measure.Line("differences on a million mutated numbers", wrong, 0, ""),
        ]
    )


if __name__ == "__main__":
    main()
