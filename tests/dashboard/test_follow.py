"""Follow one commit, or one read: by what it is, or by its number."""

from __future__ import annotations

from tests.dashboard.pages import figure, open_page, settled


def test_the_median_commit_and_the_stalest_read_come_first() -> None:
    """Both diagrams are there at once, each with the sentence that explains it."""
    at = open_page("follow")
    assert figure(at, "Commit ")
    assert figure(at, "Read ")
    said = " ".join(html.proto.body for html in at.get("html"))
    assert "the primary's" in said
    assert "missed" in said


def test_a_url_names_the_commit() -> None:
    """The commit in the address is the one that is shown."""
    at = open_page("follow", commit="7")
    assert figure(at, "Commit 7 of app")


def test_another_commit_is_picked_and_the_address_says_which() -> None:
    """The slowest commit takes longer than the median one, and the URL keeps the choice."""
    at = open_page("follow")
    median = figure(at, "Commit ")["layout"]["title"]["text"]
    at.selectbox(key="choice of commit").set_value("slowest")
    settled(at.run())
    assert figure(at, "Commit ")["layout"]["title"]["text"] != median
    assert at.query_params["commit"] == "slowest"


def test_what_is_not_there_is_said() -> None:
    """Where no commit was lost, or a number is too high, the page says so and goes on."""
    at = open_page("follow", commit="99999999")
    assert "no commit 99999999" in at.info[0].value.lower()
    assert figure(at, "Read ")
