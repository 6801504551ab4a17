"""The README's Python examples run as written and give the shapes that stand beside them."""

import ast
import re
from pathlib import Path

import pytest
from slidemaker.texture import slides_folder

README = Path(__file__).resolve().parent.parent / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
SLIDE = "CMU-1-Small-Region.svs"


class Checked(ast.NodeTransformer):
    """After each statement whose line ends in `# (a, b, …)`, a call that compares its value with that tuple."""

    def __init__(self, source):
        self.lines = source.splitlines()
        self.count = 0

    def visit(self, node):
        self.generic_visit(node)
        if not isinstance(node, ast.Expr | ast.Assign):
            return node
        said = re.search(r"#\s*(\([\d., ]+\))", self.lines[node.end_lineno - 1])
        if not said:
            return node
        self.count += 1
        value = node.value if isinstance(node, ast.Expr) else ast.Name(node.targets[0].id, ast.Load())
        call = ast.Call(ast.Name("check", ast.Load()), [value, ast.Constant(said[1])], [])
        return [node, ast.Expr(call)]


def check(value, said):
    assert tuple(getattr(value, "shape", value)) == ast.literal_eval(said)


@pytest.mark.parametrize("source", EXAMPLES)
def test_an_example_gives_what_it_says(source, monkeypatch):
    folder = slides_folder("aperio/" + SLIDE)
    if folder is None:
        pytest.skip(f"no {SLIDE} in $MICROTOME_SLIDES or ../shared/slides")
    monkeypatch.chdir(folder / "aperio")
    checked = Checked(source)
    tree = ast.fix_missing_locations(checked.visit(ast.parse(source)))
    exec(compile(tree, "README.md", "exec"), {"check": check})
    assert checked.count >= 2
