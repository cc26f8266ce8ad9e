"""The forms of connecting a practice management system, and of saying whose diary is whose."""

import re
from typing import Any

from django import forms

from integrations.models import Connection, Kind
from integrations.pms import fields
from integrations.pms.acuitas import payloads as acuitas
from integrations.pms.connecting import SITE_KINDS, Wish, needs_address
from integrations.pms.optisoft import payloads as optisoft
from integrations.pms.optix import payloads as optix
from integrations.webhooks import addresses
from practices.models import Practice

FIELD_MAPS = {
    Kind.OPTIX: optix.FIELD_MAP,
    Kind.ACUITAS: acuitas.FIELD_MAP,
    Kind.OPTISOFT: optisoft.FIELD_MAP,
}
_PRINTABLE = re.compile(r"[!-~]{4,400}")
_SITE = re.compile(r"[!-9;-~]{1,80}")
_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


class ConnectForm(forms.Form):
    """Spelling only: whether the key works is asked of the system itself."""

    api_key = forms.CharField(
        label="API key",
        strip=True,
        required=False,
        max_length=400,
        widget=forms.TextInput(attrs=_PLAIN),
    )
    site_id = forms.CharField(
        label="Site id",
        max_length=80,
        required=False,
        help_text="The branch that the key belongs to, as your vendor spells it.",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    base_url = forms.CharField(
        label="Address of the API",
        max_length=addresses.MAX_LENGTH,
        required=False,
        widget=forms.URLInput(attrs={**_PLAIN, "placeholder": "https://"}),
    )

    def __init__(
        self, practice: Practice, kind: Kind, before: Connection | None, data: Any = None
    ) -> None:
        self.kind, self.before, self.live = kind, before, needs_address(practice)
        kept = before.settings if before else {}
        super().__init__(
            data, initial={name: kept.get(name, "") for name in ("site_id", "base_url")}
        )
        self._label()
        if kind not in SITE_KINDS:
            del self.fields["site_id"]
        chosen = fields.merged(FIELD_MAPS[kind], kept.get("field_map"))
        for name, label in fields.OURS.items():
            self.fields[f"map_{name}"] = forms.CharField(
                label=label,
                required=False,
                initial=chosen[name],
                max_length=fields.LONGEST_PATH,
                widget=forms.TextInput(attrs=_PLAIN),
            )

    def _label(self) -> None:
        name = self.kind.label
        if self.before is not None:
            self.fields[
                "api_key"
            ].help_text = f"Leave it empty to keep the key that ends in {self.before.last_four}."
        else:
            self.fields[
                "api_key"
            ].help_text = f"{name} shows it where it manages access for others."
        self.fields["base_url"].help_text = (
            "An https address on the public internet. Your vendor tells you which it is."
            if self.live
            else f"Used once the practice is live. In the sandbox a pretend {name} answers."
        )

    def clean_api_key(self) -> str:
        key: str = self.cleaned_data["api_key"]
        if not key and self.before is None:
            raise forms.ValidationError("Enter the API key.")
        if key and not _PRINTABLE.fullmatch(key):
            raise forms.ValidationError(
                "A key has four characters or more, without blanks. Check that it was copied whole."
            )
        return key

    def clean_site_id(self) -> str:
        site: str = self.cleaned_data["site_id"]
        if not site:
            raise forms.ValidationError("Enter the site id.")
        if not _SITE.fullmatch(site):
            raise forms.ValidationError("A site id has no blanks and no colon.")
        return site

    def clean_base_url(self) -> str:
        url: str = self.cleaned_data["base_url"]
        if not url:
            if self.live:
                raise forms.ValidationError("Enter the address of the API.")
            return ""
        try:
            addresses.read(url, loopback=False)
        except addresses.Refused as refused:
            raise forms.ValidationError(refused.message) from refused
        if "?" in url:
            raise forms.ValidationError("Leave out the question mark and what follows it.")
        return url

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for name in fields.OURS:
            path = given.get(f"map_{name}", "")
            if path and not fields.is_path(path):
                self.add_error(
                    f"map_{name}",
                    "Write the name of their field, such as mobile; contact.mobile for one inside"
                    " another; and commas between several.",
                )
        return given

    @property
    def mapped(self) -> list[Any]:
        """The boxes of the field map."""
        return [self[f"map_{name}"] for name in fields.OURS]

    @property
    def is_wrong_below(self) -> bool:
        """Whether something under Advanced is to be mended."""
        below = [f"map_{name}" for name in fields.OURS]
        return any(
            name in self.errors for name in ([*below] if self.live else [*below, "base_url"])
        )

    @property
    def wish(self) -> Wish:
        """What differs from the folder's own map is what the practice chose."""
        given, default = self.cleaned_data, FIELD_MAPS[self.kind]
        paths = {name: given[f"map_{name}"] for name in fields.OURS}
        return Wish(
            kind=self.kind,
            api_key=given["api_key"],
            site_id=given.get("site_id", ""),
            base_url=given["base_url"],
            field_map={
                name: path for name, path in paths.items() if path and path != default[name]
            },
        )


class DiariesForm(forms.Form):
    """For each of their diaries one of ours, or none."""

    def __init__(self, connection: Connection, data: Any = None) -> None:
        super().__init__(data)
        ours = connection.practice.diaries.filter(active=True).order_by("name")
        names = {diary.name.casefold(): diary.public_id for diary in ours}
        chosen = connection.settings.get("diaries") or {}
        self.theirs: list[dict[str, str]] = list(connection.settings.get("their_diaries") or [])
        for place, each in enumerate(self.theirs):
            guess = "" if chosen else names.get(each["name"].casefold(), "")
            self.fields[f"diary_{place}"] = forms.ChoiceField(
                label=each["name"],
                required=False,
                initial=chosen.get(each["id"], guess),
                choices=[("", "None of ours"), *((row.public_id, row.name) for row in ours)],
                error_messages={"invalid_choice": "Choose one of your diaries, or none."},
            )

    @property
    def chosen(self) -> dict[str, str]:
        """Our diaries by the other system's ids of them."""
        given = (
            (each["id"], self.cleaned_data[f"diary_{n}"]) for n, each in enumerate(self.theirs)
        )
        return {theirs: ours for theirs, ours in given if ours}
