"""What a practice says to get a number of its own: where it should be, and who the business is."""

import re

from django import forms

_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}")


class SearchForm(forms.Form):
    kind = forms.ChoiceField(
        label="Kind of number",
        choices=[("local", "Local landline number"), ("mobile", "Mobile number")],
        initial="local",
    )
    contains = forms.CharField(
        label="Begins with or has in it",
        required=False,
        max_length=11,
        help_text="An area code, such as 0118, or digits that are easy to remember.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean_contains(self) -> str:
        digits = re.sub(r"[\s()-]", "", self.cleaned_data["contains"])
        if digits and not digits.isdigit():
            raise forms.ValidationError("Enter digits only, such as 0118.")
        return digits


class PapersForm(forms.Form):
    """Everything here goes to the carrier, which has to know whose number it is."""

    business_name = forms.CharField(
        label="Name of the business", max_length=120, help_text="As it is registered."
    )
    registration_number = forms.CharField(
        label="Company number",
        required=False,
        max_length=20,
        help_text="From Companies House. A sole trader has none.",
    )
    street = forms.CharField(label="Street and number", max_length=120)
    city = forms.CharField(label="Town or city", max_length=80)
    postcode = forms.CharField(label="Postcode", max_length=10)
    email = forms.EmailField(label="Email", help_text="The carrier writes here about the papers.")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for field in self.fields.values():
            field.error_messages["required"] = f"Enter the {field.label.lower()}."  # type: ignore[union-attr]
        self.fields["email"].error_messages["invalid"] = "Enter an email address."

    def clean_postcode(self) -> str:
        found = re.sub(r"\s", "", self.cleaned_data["postcode"]).upper()
        if not _POSTCODE.fullmatch(found):
            raise forms.ValidationError("Enter a UK postcode, such as RG1 2AB.")
        return f"{found[:-3]} {found[-3:]}"
