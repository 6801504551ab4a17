"""Runs the examples of a Markdown page as a reader would: in order, in one session, in one folder.

What is run, and what it is compared with:

- every ```python block. A comment behind a statement that begins with a Python literal is its value, or an array's
  shape and dtype: `region = slide.read(…)   # (200, 300, 3) uint8; y before x`.
- the ```text block right behind one is what it prints. If that block begins with the name of an exception and a
  colon, the block must end with that exception and message.
- a ```console block with `<!-- run -->` above it: each `$ microtome …` line, with the lines below it as its output.

`<!-- needs NAME -->` above a block: it is skipped where that package is not installed. `…` in shown output stands for
anything within a line.
"""

import ast
import contextlib
import importlib.util
import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass

FENCE = re.compile(r"^( *)```(\w*)\s*$")
MARK = re.compile(r"^<!-- (run|needs) ?(\S*) -->$")
SHAPE = re.compile(r"(\([\d, ]*\)) (bool|u?int\d+|float\d+)\b")


@dataclass
class Block:
    """One fenced block: `language`, `source` without its indentation, the `line` that it begins on, its `mark`
    (("needs", "torch"), ("run", "") or None) and the `output` that is shown below it, or None."""

    language: str
    source: str
    line: int
    mark: tuple | None
    output: str | None = None


def blocks_of(text):
    """The fenced blocks of a page, output blocks joined to the blocks that they belong to."""
    found, lines = [], text.splitlines()
    number, above, joined = 0, "", False
    while number < len(lines):
        opening = FENCE.match(lines[number])
        if not opening:
            if lines[number].strip():
                above, joined = lines[number].strip(), False
            number += 1
            continue
        indent, language = opening.groups()
        end = next(i for i in range(number + 1, len(lines)) if lines[i] == indent + "```")
        source = "".join(line[len(indent) :] + "\n" for line in lines[number + 1 : end])
        mark = MARK.match(above)
        if language == "text" and joined:
            found[-1].output = source
        else:
            found.append(Block(language, source, number + 2, mark and mark.groups()))
        joined = language == "python"
        number, above = end + 1, ""
    return found


def needed(text):
    """The packages that blocks of a page are marked to need."""
    return sorted({block.mark[1] for block in blocks_of(text) if block.mark and block.mark[0] == "needs"})


class Checked(ast.NodeTransformer):
    """Behind each statement whose last line ends in a value, a call that compares its value with that."""

    def __init__(self, source):
        self.lines = source.splitlines()
        self.count = 0

    def visit(self, node):
        self.generic_visit(node)
        if not isinstance(node, ast.Expr | ast.Assign):
            return node
        rest = self.lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode()  # columns count bytes
        _, mark, comment = rest.partition("#")
        said = value_said(comment.strip()) if mark else None
        if said is None:
            return node
        self.count += 1
        value = node.value if isinstance(node, ast.Expr) else ast.Name(node.targets[0].id, ast.Load())
        call = ast.Call(ast.Name("check", ast.Load()), [value, ast.Constant(said)], [])
        call = ast.Expr(ast.copy_location(call, node))
        # A last expression would be evaluated twice, which an iterator would show.
        return call if isinstance(node, ast.Expr) else [node, call]


def value_said(comment):
    """The part of a comment that is a value, or None: "(2, 3) uint8; …" → "(2, 3) uint8"."""
    if said := SHAPE.match(comment):
        return said[0]
    for end in (len(comment), *(match.start() for match in re.finditer("[;:]", comment))):
        with contextlib.suppress(ValueError, SyntaxError):
            ast.literal_eval(comment[:end].strip())
            return comment[:end].strip()
    return None


def check(value, said):
    """Raises AssertionError unless `value` is what the page says."""
    if SHAPE.fullmatch(said):
        found = f"{tuple(value.shape)} {value.dtype}"
        assert found == said, f"{found}, the page says {said}"
    elif hasattr(value, "shape"):
        assert tuple(value.shape) == ast.literal_eval(said), f"shape {value.shape}, the page says {said}"
    else:
        assert value == ast.literal_eval(said), f"{value!r}, the page says {said}"


def same(printed, shown):
    """Whether output is what the page shows, `…` being anything within a line; spaces at line ends do not count."""
    pattern = ".*".join(re.escape(part) for part in trimmed(shown).split("…"))
    return re.fullmatch(pattern, trimmed(printed)) is not None


def trimmed(text):
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())


def compare(printed, shown, where):
    assert same(printed, shown), f"{where}: it printed\n{printed}\nand the page shows\n{shown}"


class Session:
    """What the blocks of one page share. Use it in the folder that they are to run in."""

    def __init__(self, page):
        self.page = page
        self.names = {"__name__": "__main__", "check": check}
        self.ran = self.checked = 0
        self.skipped = []

    def run(self, block):
        """Raises AssertionError, or what the block raised, with the page's line in the traceback."""
        kind, what = block.mark or ("", "")
        if kind == "needs" and importlib.util.find_spec(what) is None:
            self.skipped.append(f"{self.page}:{block.line} needs {what}")
        elif block.language == "python":
            self.run_python(block)
            self.ran += 1
        elif block.language == "console" and kind == "run":
            self.run_console(block)
            self.ran += 1

    def run_python(self, block):
        checked = Checked(block.source)
        tree = ast.fix_missing_locations(checked.visit(ast.parse(block.source, self.page)))
        ast.increment_lineno(tree, block.line - 1)
        raised, printed = None, io.StringIO()
        expected = re.match(r"\w+(Error|Exception): ", block.output or "")
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile(tree, self.page, "exec"), self.names)
        except Exception as error:
            if not expected:
                raise
            raised = f"{type(error).__name__}: {error}\n"
        self.checked += checked.count
        where = f"{self.page}:{block.line}"
        assert not expected or raised, f"{where}: nothing was raised, the page shows {block.output}"
        if block.output is not None:
            compare(printed.getvalue() + (raised or ""), block.output, where)

    def run_console(self, block):
        environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
        environment["PATH"] = f"{os.path.dirname(sys.executable)}:{environment['PATH']}"
        commands = re.split(r"^\$ ", block.source, flags=re.MULTILINE)[1:]
        for command, _, shown in (each.partition("\n") for each in commands):
            command = command.partition("  #")[0].rstrip()
            if not command.startswith(("microtome ", "echo ")):
                continue
            done = subprocess.run(
                command,
                shell=True,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            if shown.strip():
                compare(done.stdout, shown, f"{self.page}:{block.line}: $ {command}")
            else:
                assert done.returncode == 0, f"{self.page}: $ {command}\n{done.stdout}"
