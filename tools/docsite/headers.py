"""The reference of C and C++, out of the comments in the public headers.

`page(path)` is a page's Markdown: the header's first comment, then each declaration with its comment, in the header's
order. Something public without a comment is an error, and so is a name in a comment that is declared nowhere.

Both headers are laid out by clang-format, which is all that this relies on: declarations begin in the first column,
members in the third; a comment stands before its declaration (`/** */` in C, `///` in C++) or behind it (`/**< */`,
`///<`).
"""

import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LABELS = "Errors|Options|Threads|Ownership|ABI"
NAME = re.compile(r"\b(?:microtome|MICROTOME)_\w+")


class Undocumented(ValueError):
    """Something public that no comment describes, or a comment about something that is not there."""


@dataclass
class Entry:
    """A declaration; `members` are (code, comment). A section has a name alone."""

    name: str
    level: int
    code: str = ""
    comment: str = ""
    members: list = field(default_factory=list)


def page(path):
    """The Markdown of the reference of a header."""
    text = path.read_text(encoding="utf-8")
    intro, entries = (c_entries if path.suffix == ".h" else cpp_entries)(text)
    for entry in entries:
        require(entry.comment or entry.level == 2, entry.name)
    check_names(
        path.name, [intro, *(e.comment for e in entries), *(c for e in entries for _, c in e.members)]
    )
    language = "c" if path.suffix == ".h" else "cpp"
    return "\n\n".join([prose(intro, language), *(rendered(entry, language) for entry in entries)]) + "\n"


def require(documented, name):
    if not documented:
        raise Undocumented(f"{name} has no comment")


def check_names(where, comments):
    """Raises Undocumented where a comment names what the C header does not declare."""
    header = (ROOT / "include" / "microtome" / "microtome.h").read_text(encoding="utf-8")
    declared = set(NAME.findall(re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)))
    unknown = {name for comment in comments for name in NAME.findall(comment)} - declared
    if unknown:
        raise Undocumented(f"{where}: comments name {', '.join(sorted(unknown))}, which is declared nowhere")


def until(lines, last):
    """Lines up to and with the first for which last(line) holds."""
    taken = []
    for line in lines:
        taken.append(line)
        if last(line):
            break
    return taken


# ---- C


def c_comment(text):
    """A comment's text, without its stars."""
    inside = re.sub(r"^/\*+<?|\*/$", "", text.strip())
    return "\n".join(re.sub(r"^ *\* ?", "", line).rstrip() for line in inside.splitlines()).strip()


def c_entries(text):
    """The first comment, and an Entry for each section and declaration of a header in C."""
    intro = c_comment(re.match(r"/\*.*?\*/", text, re.DOTALL)[0])
    body = text[text.index("#define MICROTOME_API\n#endif\n") :].split("\n", 2)[2]
    entries, comment, lines = [], "", iter(body.splitlines())
    for line in lines:
        if section := re.match(r"/\* ---- (.+) ---- \*/", line):
            entries.append(Entry(section[1], 2))
        elif line.startswith("/**"):
            rest = [] if line.endswith("*/") else until(lines, lambda each: each.endswith("*/"))
            comment = c_comment("\n".join([line, *rest]))
        elif line.startswith(("#define ", "typedef ", "MICROTOME_API ")):
            entries.append(c_declaration(line, lines, comment))
            comment = ""
    return intro, entries


def c_declaration(line, lines, comment):
    if line.startswith("#define "):
        return Entry(line.split()[1], 3, line, comment)
    if kind := re.match(r"typedef (struct|enum) (\w+) \{", line):
        inside = "\n".join(until(lines, lambda each: each.startswith("}"))[:-1])
        members = enumerators(inside) if kind[1] == "enum" else c_members(inside, kind[2])
        return Entry(kind[2], 3, f"{kind[1]} {kind[2]}", comment, members)
    code = line if line.endswith(";") else "\n".join([line, *until(lines, lambda each: each.endswith(";"))])
    code = joined(code.replace("MICROTOME_API ", ""))
    name = re.search(r"\(\*(\w+)\)\(|(\w+)\(|(\w+);$", code)
    return Entry(next(filter(None, name.groups())), 3, code, comment)


def enumerators(inside):
    """(code, comment or "") of each."""
    pattern = r"(\w+ = \d+),?(?:\s*(/\*\*<.*?\*/))?"
    return [(code, c_comment(said)) for code, said in re.findall(pattern, inside, re.DOTALL)]


def c_members(inside, owner):
    """(code, comment) of each member of a struct."""
    members = []
    for before, code, behind in re.findall(
        r"(/\*\*(?!<).*?\*/\s*)?(\w[^;/]*);(?:[ ]*(/\*\*<.*?\*/))?", inside, re.DOTALL
    ):
        require(before or behind, f"{joined(code)} of {owner}")
        members.append((joined(code), c_comment(before or behind)))
    return members


def joined(code):
    """Code without the line breaks of its layout."""
    return re.sub(r"\(\s+", "(", " ".join(code.split()))


# ---- C++


def cpp_entries(text):
    """The first comment, and an Entry for each class and public member of a header in C++."""
    first = re.match(r"(//.*\n)+", text)[0]
    entries, comment, hidden, owner, lines = [], [], False, None, iter(text.splitlines())
    for line in lines:
        inner = line.strip()
        if line.startswith("namespace detail"):
            until(lines, lambda each: each.startswith("}  // namespace detail"))
        elif inner.startswith("/// "):
            comment.append(inner.removeprefix("/// "))
        elif opening := re.match(r"(class|struct) (\w+).* \{$", line):
            owner, hidden = opening[2], opening[1] == "class"
            entries.append(Entry(owner, 2, "", "\n".join(comment)))
            entries[-1].code, comment = line.removesuffix(" {"), []
            entries[-1].level = 3
        elif access := re.match(r" (public|private):", line):
            hidden = access[1] == "private"
        elif line == "};":
            owner = None
        elif owner and not hidden and re.match(r"  \w", line):
            entries.append(cpp_member(owner, line, lines, comment))
            comment = []
    return "\n".join(each.removeprefix("//").removeprefix(" ") for each in first.splitlines()), entries


def cpp_member(owner, line, lines, comment):
    """The member whose declaration begins with `line`; the rest of it, and its body, are taken from `lines`."""
    code, _, behind = line.partition("///<")
    if not re.search(r"[;{}]\s*$", code):
        code += " " + " ".join(until(lines, lambda each: re.search(r"[;{}]$", each)))
    if code.rstrip().endswith("{"):
        until(lines, lambda each: each.startswith("  }"))
    head = joined(re.split(r"\s:\s(?!:)|\s\{(?!\})", joined(code).removesuffix(";"), maxsplit=1)[0])
    name = re.search(r"(\w+)\(", head) or re.search(r"(\w+)(?: = [^,]*)?$", head)
    return Entry(f"{owner}::{name[1]}", 4, head, "\n".join([*comment, *[behind.strip()] * bool(behind)]))


# ---- Markdown


def rendered(entry, language):
    heading = f"{'#' * entry.level} {entry.name} {{ #{anchor(entry.name)} }}".replace(
        "_", "\\_", entry.name.count("_")
    )
    if entry.level == 2:
        return heading
    parts = [heading, f"```{language}\n{entry.code}\n```", prose(entry.comment, language)]
    if entry.members:
        rows = [f"| `{code}` | {' '.join(comment.split())} |" for code, comment in entry.members]
        parts.append("\n".join(["| | |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def anchor(name):
    return re.sub(r"\W+", "-", name)


def prose(comment, language):
    """A comment's paragraphs; what is indented as code, and lists of parameters and of labels as lists."""
    parts = []
    for block in textwrap.dedent(comment).split("\n\n"):
        if block.startswith("    "):
            parts.append(f"```{language}\n{textwrap.dedent(block)}\n```")
        elif re.match(rf"`\w+`  |(?:{LABELS})  ", block):
            parts.append(listed(block))
        else:
            parts.append(" ".join(block.split()))
    return "\n\n".join(parts)


def listed(block):
    items = []
    for line in block.splitlines():
        if begin := re.match(rf"(?:(`\w+`)|({LABELS}))\s+(.*)", line):
            items.append(f"- {begin[1] or f'**{begin[2]}**'}: {begin[3]}")
        else:
            items[-1] += " " + line.strip()
    return "\n".join(items)
