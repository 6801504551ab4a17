"""The reference of C and C++ as it is made from the headers."""

import re

import pytest
from docsite import headers

INCLUDE = headers.ROOT / "include" / "microtome"
C = """/* A header.
 *
 *     code;
 */
#define MICROTOME_API
#endif

/* ---- Things ---- */

/** A thing. */
typedef struct thing {
  int a, b; /**< Two. */
  /** What
   * it is for. */
  const char* why;
} thing;

/** Makes one.
 *
 * `a`     a number,
 *         not a letter.
 * Errors  none.
 */
MICROTOME_API thing* make(int a,
                          int b);

#ifdef __cplusplus
"""
CPP = """// A header.
namespace n {
namespace detail {
class Hidden {};
}  // namespace detail

/// A thing.
class Thing : public Base {
 public:
  /// Makes one.
  explicit Thing(int a) : a_(a) {
    b();
  }
  int size() const { return 1; }  ///< How many.

 private:
  int a_;
};
}
"""


def page(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return headers.page(path)


def test_c_declarations_with_their_members_and_parameters(tmp_path):
    made = page(tmp_path, "a.h", C)
    assert made.startswith("A header.\n\n```c\ncode;\n```\n\n## Things")
    assert "### thing { #thing }\n\n```c\nstruct thing\n```\n\nA thing." in made
    assert "| `int a, b` | Two. |\n| `const char* why` | What it is for. |" in made
    assert "```c\nthing* make(int a, int b);\n```" in made
    assert "- `a`: a number, not a letter.\n- **Errors**: none." in made


def test_cpp_members_without_bodies_and_what_is_hidden(tmp_path):
    made = page(tmp_path, "a.hpp", CPP)
    assert "### Thing { #Thing }\n\n```cpp\nclass Thing : public Base\n```" in made
    assert "```cpp\nexplicit Thing(int a)\n```\n\nMakes one." in made
    assert "```cpp\nint size() const\n```\n\nHow many." in made
    assert "Hidden" not in made
    assert "a_" not in made


@pytest.mark.parametrize(
    ("name", "text", "without"),
    [("a.h", C, "/** A thing. */"), ("a.h", C, "/**< Two. */"), ("a.hpp", CPP, "  ///< How many."),
     ("a.hpp", CPP, "/// Makes one.")],
)  # fmt: skip
def test_what_has_no_comment_is_an_error(tmp_path, name, text, without):
    assert without in text
    with pytest.raises(headers.Undocumented, match="has no comment"):
        page(tmp_path, name, text.replace(without, ""))


def test_a_comment_that_names_nothing_is_an_error(tmp_path):
    with pytest.raises(headers.Undocumented, match="microtome_nothing"):
        page(tmp_path, "a.h", C.replace("A thing.", "As microtome_nothing."))


def test_everything_that_the_headers_declare_is_there():
    header = (INCLUDE / "microtome.h").read_text(encoding="utf-8")
    declared = set(re.findall(r"^MICROTOME_API [^(]*?\b(microtome_\w+)\(", header, re.MULTILINE))
    declared |= set(re.findall(r"^typedef .*?(microtome_\w+) ?[{;]", header, re.MULTILINE))
    shown = set(re.findall(r"^### .* \{ #(\w+) \}$", headers.page(INCLUDE / "microtome.h"), re.MULTILINE))
    assert declared
    assert declared - shown == set()
    cpp = headers.page(INCLUDE / "microtome.hpp")
    for name in ("Slide::read", "Slide::read_associated", "Loader::next", "Batch::patch", "Error::status"):
        assert f"#### {name} " in cpp.replace("\\", "")
