"""Follow one commit, or one read: by what it is, or by its number."""

from __future__ import annotations

from tests.dashboard.pages import figure, open_page, settled, words


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


def test_a_lost_commit_is_explained() -> None:
    """Of a run in which the primary died, the first lost commit is drawn to the death, and the sentence says why."""
    at = open_page("follow", scenario="tour/8-primary-dies", commit="lost")
    drawn = figure(at, "Commit ")
    assert {"dies", "lost"} <= {note["text"] for note in drawn["layout"]["annotations"]}
    said = " ".join(words(html) for html in at.get("html"))
    assert "was lost when s" in said
    assert "It was on its way to s1 and s2 when p went down at 10 s." in said
    assert at.info[0].value == "Nobody reads in this scenario."


def test_where_nothing_was_lost_the_primary_can_die() -> None:
    """Asked for a lost commit where there is none, the page offers the primary's death; then there is one."""
    at = open_page("follow", "links.p -> s1.latency=30ms", commit="lost")
    assert at.info[0].value == "No commit is lost."
    next(button for button in at.button if button.label == "Let the primary die in this run").click()
    settled(at.run())
    assert figure(at, "Commit ")
    assert "was lost when s1 was promoted" in " ".join(words(html) for html in at.get("html"))
