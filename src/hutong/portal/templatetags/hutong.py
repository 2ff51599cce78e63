"""Numbers, digests and fields as the page's language writes them."""

from __future__ import annotations

from typing import Any

from django import forms, template
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def number(value: int | float | None) -> str:
    """A number with the locale's grouping; nothing for none."""
    return "" if value is None else formats.number_format(value, use_l10n=True, force_grouping=True)


@register.filter
def bytesize(value: int) -> str:
    """Bytes in the unit a person reads: 512 B, 1.4 MB (powers of 1,000, as the metre is)."""
    size = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


@register.filter
def short_digest(value: str) -> SafeString | str:
    """A digest's first and last characters, the whole of it on hover and to assistive technology."""
    _name, _colon, digits = value.partition(":")
    if len(digits) < 20:
        return value
    return format_html('<abbr class="digest" title="{}">{}…{}</abbr>', value, digits[:8], digits[-6:])


@register.filter
def widget(field: forms.BoundField) -> SafeString:
    """The field's control, tied to its hint and its error for those who cannot see them."""
    described = [f"{field.id_for_label}_hint"] if field.help_text else []
    attributes: dict[str, Any] = {}
    if field.errors:
        described.insert(0, f"{field.id_for_label}_error")
        attributes["aria-invalid"] = "true"
    if described:
        attributes["aria-describedby"] = " ".join(described)
    return field.as_widget(attrs=attributes)


@register.filter
def needed_later(field: forms.BoundField) -> bool:
    """A field that may be empty in a draft and not in what is published."""
    return bool(getattr(field.field, "needed_to_publish", False))


@register.filter
def is_check(field: forms.BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def is_group(field: forms.BoundField) -> bool:
    """A field drawn as several controls: it takes a fieldset and a legend."""
    return isinstance(field.field.widget, (forms.CheckboxSelectMultiple, forms.RadioSelect))
