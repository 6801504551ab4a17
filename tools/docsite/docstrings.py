"""For the reference: docstrings brought into the form that the tool which makes it understands.

- `level, mpp : …` with one text, which is how docstrings say what holds for both, becomes an entry for each; as it
  stands all would get the type and the default value of the first.
- `device : "cpu", "cuda" or a Device.`, one line as the drop-in's short docstrings have it, becomes a name and its
  text; as it stands the text would be shown as a type.
"""

import re
import textwrap

import griffe

SECTION = re.compile(
    r"^((?:Parameters|Returns|Raises)\n-+\n)(.*?)(?=^\w+\n-{3,}\n|\Z)", re.MULTILINE | re.DOTALL
)
ENTRY = re.compile(r"^(\S[^\n]*)\n((?:[ ]+[^\n]*\n)*)", re.MULTILINE)


def in_form(text, short=False):
    """A docstring with an entry for each parameter; `short` ones have their texts behind the colons."""

    def entries(match):
        head, description = match.groups()
        names, _, kind = head.partition(" : ")
        if short:
            description = textwrap.indent(f"{kind}\n{textwrap.dedent(description)}", "    ")
            return "".join(f"{name}\n{description}" for name in names.split(", "))
        if not re.fullmatch(r"\w+(, \w+)+", names):
            return match[0]
        return "".join(f"{name}{' : ' * bool(kind)}{kind}\n{description}" for name in names.split(", "))

    def section(match):
        title, body = match.groups()
        if not short and not title.startswith("Parameters"):
            return match[0]
        return title + ENTRY.sub(entries, body)

    return SECTION.sub(section, text.rstrip("\n") + "\n")


class InForm(griffe.Extension):
    def on_object(self, *, obj, **kwargs):
        if obj.docstring:
            obj.docstring.value = in_form(obj.docstring.value, short="._cucim." in obj.path)
