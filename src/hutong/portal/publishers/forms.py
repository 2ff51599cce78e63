"""Forms of those who offer data: a source, a description and its items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.catalogue.fields import ITEM_FIELDS, RESOURCE_FIELDS, Field, ListField
from hutong.control.catalogue.models import Item, Resource
from hutong.control.catalogue.sources import sources
from hutong.control.identity.models import Account
from hutong.control.organisations.queries import departments
from hutong.control.standards.dictionary import Dictionary
from hutong.exchange.sources.settings import LONGEST, SETTINGS, Setting
from hutong.exchange.sources.spec import KINDS
from hutong.portal.components import masks, words
from hutong.portal.components.differences import field_label
from hutong.portal.components.form import Form
from hutong.portal.components.peers import department_name
from hutong.vocabulary import codes

SETTING = "setting_"  # begins the names of the fields that a kind of source adds
LARGEST_WORKBOOK = 20 * 1024 * 1024
SEPARATORS = str.maketrans({"，": ",", "、": ",", "；": ",", ";": ","})
HINTS = {
    "title_zh": lazy("As other departments will search for it."),
    "summary_zh": lazy("What the data say, where they come from, what they cover."),
    "keywords": lazy("Separate by commas."),
    "conditions": lazy("For conditional sharing: which departments, for what scope. Empty when unconditional."),
    "permitted_purposes": lazy("For conditional sharing: choose every purpose that is permitted."),
    "legal_citation": lazy("For what is not shared: the law, regulation or decision and its article."),
    "area_code": lazy("6, 9 or 12 digits (GB/T 2260)."),
    "time_range": lazy("For example 1978–2004."),
    "attribute": lazy("The strictest item decides in the end."),
    "national_level": lazy("GB/T 43697: general, important or core."),
    "grade": lazy("1 to 4; 4 is the strictest."),
    "sensitive": lazy("Personal or otherwise sensitive."),
    "mask": lazy("How it leaves unless an agreement says otherwise."),
}


class SourceForm(Form):
    """Where data lies."""

    name = forms.CharField(label=lazy("Name"), max_length=200, help_text=lazy("For example: register of companies."))
    kind = forms.ChoiceField(label=lazy("Kind"))
    location = forms.CharField(
        label=lazy("Location"),
        max_length=2000,
        help_text=lazy(
            "An absolute path in the node's data folder or another that its operator allows, "
            "postgresql://user:password@host/database, mysql://user:password@host/database, s3://bucket/folder, or "
            "the address of a catalogue or an interface. It is sealed."
        ),
    )
    table = forms.CharField(
        label=lazy("Table or sheet"),
        max_length=200,
        required=False,
        help_text=lazy("Needed for a database; for Excel the first sheet unless named."),
    )

    def __init__(self, account: Account, data: Mapping[str, Any] | None = None) -> None:
        asked = SETTINGS.get(str((data or {}).get("kind", "")), ())
        # A kind that needs more is asked for more first: what was typed so far stands in the form again.
        self.asks_more = bool(asked) and data is not None and data.get("settings_of") != data.get("kind")
        if data is not None and self.asks_more:
            super().__init__(initial={name: data.get(name, "") for name in (*self.base_fields, "department_code")})
        else:
            super().__init__(data)
        kinds = [(kind, words.word(words.SOURCE_KINDS, kind)) for kind in KINDS]
        self.choose("kind", kinds)
        self.fields["location"].widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})
        if account.department is None:
            every = [(one.code, department_name(one)) for one in departments()]
            self.fields["department_code"] = forms.ChoiceField(label=lazy("Department"), choices=every)
        if asked:
            kind = str((data or {})["kind"])
            self.fields["settings_of"] = forms.CharField(widget=forms.HiddenInput, initial=kind, required=False)
        for one in asked:
            self.fields[SETTING + one.name] = setting_field(one)

    def given(self) -> dict[str, Any]:
        """What to register the source with."""
        said = {name: value for name, value in self.cleaned_data.items() if name != "settings_of"}
        settings = {name.removeprefix(SETTING): said.pop(name) for name in list(said) if name.startswith(SETTING)}
        return {**said, "settings": settings}


def setting_field(one: Setting) -> forms.Field:
    """The form field of a source's setting."""
    about: dict[str, Any] = {
        "label": words.of_language(one.zh, one.en),
        "required": one.required,
        "help_text": words.of_language(one.hint_zh, one.hint_en),
    }
    if one.choices:
        return forms.ChoiceField(**about, choices=[(choice, choice) for choice in one.choices])
    typed: dict[str, Any] = {"autocomplete": "off", "spellcheck": "false"}
    widget: forms.Widget = forms.TextInput(attrs=typed)
    if one.long:
        widget = forms.Textarea(attrs={**typed, "rows": 3})
    elif one.secret:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(**about, max_length=LONGEST, widget=widget)


class WorkbookForm(Form):
    """A workbook of the national template."""

    workbook = forms.FileField(
        label=lazy("Workbook"),
        help_text=lazy(
            "Excel (.xlsx), at most 20 MB. One row for each item; the catalogue's export shows the columns."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls"}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, files: Any = None) -> None:
        super().__init__(data)
        if files is not None:
            self.files = files

    def clean_workbook(self) -> Any:
        given = self.cleaned_data["workbook"]
        if given.size > LARGEST_WORKBOOK:
            raise forms.ValidationError(_("The file is larger than 20 MB."))
        return given


class SourceChoiceForm(Form):
    """Which of the department's sources a resource is read from."""

    source = forms.ChoiceField(label=lazy("Source"))

    def __init__(self, resource: Resource, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="attach", initial={"source": resource.source_id or ""})
        listed = [(one.id, one.name) for one in sources(resource.department_id)]
        self.choose("source", listed)


class DescriptionForm(Form):
    """The fields of a resource, from the catalogue's own table. Nothing is required: a draft may be incomplete."""

    def __init__(self, resource: Resource, data: Mapping[str, Any] | None = None) -> None:
        initial = {name: _shown(field, getattr(resource, name)) for name, field in described()}
        super().__init__(data, initial=initial)
        for name, field in described():
            self.fields[name] = control(field)
            self.fields[name].needed_to_publish = field.required  # type: ignore[attr-defined]

    def given(self) -> dict[str, Any]:
        """What to describe the resource with."""
        return {name: _read(field, self.cleaned_data[name]) for name, field in described()}


class ItemForm(Form):
    """One item of a resource."""

    def __init__(self, item: Item, elements: Dictionary, data: Mapping[str, Any] | None = None) -> None:
        self.item = item
        initial = {name: getattr(item, name) for name in ITEM_FIELDS} | {"keep": True, "mask": masks.code_of(item.mask)}
        super().__init__(data, initial=initial, prefix=f"item-{item.position}")
        for name, field in ITEM_FIELDS.items():
            if name not in ("secret", "mask", "nullable", "element"):
                self.fields[name] = control(field)
        self.fields["grade"] = forms.TypedChoiceField(
            label=field_label(ITEM_FIELDS["grade"]),
            coerce=int,
            choices=[(n, str(n)) for n in codes.GRADES],
            help_text=HINTS["grade"],
        )
        self.fields["mask"] = forms.ChoiceField(
            label=field_label(ITEM_FIELDS["mask"]),
            choices=masks.choices(item.type, masks.code_of(item.mask)),
            help_text=HINTS["mask"],
        )
        offered = words.code_choices(elements.usable)
        if item.element and item.element not in elements.usable:  # it has ended, and stays until somebody changes it
            offered.append((item.element, words.code_name(elements.known, item.element)))
        self.fields["element"] = forms.ChoiceField(
            label=field_label(ITEM_FIELDS["element"]),
            required=False,
            choices=[("", _("choose")), *offered],
            help_text=HINTS.get("element", ""),
        )
        self.choose("attribute", [("", _("as the resource")), *words.code_choices(codes.ATTRIBUTES)])
        for name in ("sensitive", "key"):
            self.fields[name] = forms.BooleanField(
                label=field_label(ITEM_FIELDS[name]), required=False, help_text=HINTS.get(name, "")
            )
        self.fields["keep"] = forms.BooleanField(
            label=lazy("Part of the resource"), required=False, help_text=lazy("Without the tick it is left out.")
        )

    def given(self) -> dict[str, Any] | None:
        """The item's description; None for one that is left out."""
        said = dict(self.cleaned_data)
        if not said.pop("keep"):
            return None
        return {**said, "mask": masks.document_of(said["mask"]), "name": self.item.name}


def described() -> list[tuple[str, Field]]:
    """The fields an officer edits; the code is given by the catalogue."""
    return [(name, field) for name, field in RESOURCE_FIELDS.items() if name != "code"]


def control(field: Field) -> forms.Field:
    """The form field of a catalogue field."""
    about: dict[str, Any] = {"label": field_label(field), "required": False, "help_text": HINTS.get(field.name, "")}
    if isinstance(field, ListField):
        if field.codes is None:
            return forms.CharField(**about, max_length=field.limit * field.most)
        return forms.MultipleChoiceField(
            **about, choices=words.code_choices(field.codes), widget=forms.CheckboxSelectMultiple
        )
    if field.codes is not None:
        return forms.ChoiceField(**about, choices=[("", _("choose")), *words.code_choices(field.codes)])
    if field.lines:
        return forms.CharField(**about, max_length=field.limit, widget=forms.Textarea(attrs={"rows": 3}))
    return forms.CharField(**about, max_length=field.limit)


def _shown(field: Field, value: Any) -> Any:
    return ", ".join(value) if isinstance(field, ListField) and field.codes is None else value


def _read(field: Field, value: Any) -> Any:
    if isinstance(field, ListField) and field.codes is None:
        return [one.strip() for one in value.translate(SEPARATORS).split(",") if one.strip()]
    return value
