"""Words on the page: the glossary on hover, and what a user wrote shown as it is."""

from __future__ import annotations

from dashboard.words import glossary, hovers, plain


def test_the_glossary_is_the_one_in_the_docs() -> None:
    """Terms are found as the page has them, without its emphasis."""
    words = glossary()
    assert words["wal"].startswith("The write-ahead log")
    assert words["any n"].startswith("Any n of the listed standbys: a quorum")
    assert words["quorum" if "quorum" in words else "group commit"]
    assert not any("**" in meaning or "`" in meaning for meaning in words.values())


def test_the_first_use_of_a_term_explains_itself() -> None:
    """A term is explained once, also in the plural, and nothing within an explanation is."""
    html = hovers("Standbys replay WAL; WAL is a stream, and walsenders send it.")
    assert html.count("<abbr") == html.count("</abbr>") == 4
    assert html.count(">WAL</abbr>") == 1
    assert ">walsenders</abbr>" in html


def test_markup_in_a_text_is_text() -> None:
    """A name or a question of a stranger's can hold no markup, neither HTML nor Markdown."""
    assert "<img" not in hovers('<img src="http://elsewhere/x.png">')
    assert plain("![x](http://elsewhere/x.png)") == r"\!\[x\]\(http\://elsewhere/x\.png\)"
