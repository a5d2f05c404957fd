"""The dashboard as somebody uses it, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import replsim
from tests.browser.conftest import Open
from tests.browser.window import PATIENCE_SECONDS

POINT = """(chart) => {
  const trace = chart.calcdata.find((points) => points.length > 1), layout = chart._fullLayout;
  const point = trace[Math.floor(trace.length / 2)], box = chart.getBoundingClientRect();
  const x = layout._size.l + layout.xaxis.l2p(point.x), y = layout._size.t + layout.yaxis.l2p(point.y);
  return [box.x + x, box.y + y];
}"""
"""Where on the screen a point of a chart is."""


def answer(page: Page, label: str) -> Locator:
    """The value of an answer on top of a page."""
    card = page.get_by_test_id("stMetric").filter(has_text=label)
    return card.get_by_test_id("stMetricValue")


def chart(page: Page, title: str) -> Locator:
    """The chart with a title, drawn."""
    return page.locator(".js-plotly-plot").filter(has=page.locator(".gtitle", has_text=title))


def test_a_first_visit_shows_answers_and_charts(window: Open) -> None:
    """Without a click there are the question, the answers and every chart."""
    page = window().open()
    expect(page.get_by_role("heading", name=re.compile("How often is what you read out of date"))).to_be_visible()
    expect(answer(page, "Stale reads")).to_contain_text("%")
    for title in (
        "lag",
        "Stale reads",
        "Commit latency",
        "Where a commit's time goes",
        "How soon a commit can be seen",
    ):
        expect(chart(page, title).first).to_be_attached()


def test_a_slider_is_turned_by_keyboard_and_the_address_follows(window: Open) -> None:
    """An arrow key turns a knob; answer, chart and address change, and the address brings it back."""
    opened = window()
    page = opened.open()
    before = answer(page, "Commit p50").text_content()
    knob = page.get_by_role("slider", name="Replay cost")
    knob.focus()
    knob.press("Home")
    expect(page).to_have_url(re.compile(r"set=standbys\.s1\.replay\.per_record(=|%3D)1us"))
    expect(answer(page, "Lag s1 p99")).to_contain_text(re.compile(r"^\s*\d(\.\d+)? ms"))
    expect(answer(page, "Commit p50")).to_have_text(before or "")
    shown = answer(page, "Lag s1 p99").text_content()
    again = window().open(page.url.removeprefix(opened.address + "/"))
    expect(answer(again, "Lag s1 p99")).to_have_text(shown or "")


def test_the_way_back_is_the_browser_s(window: Open) -> None:
    """The back button takes the last turn of a knob back."""
    page = window().open("?scenario=quickstart/three-nodes")
    before = answer(page, "Commit p50").text_content() or ""
    page.get_by_text("Who must confirm").wait_for()
    knob = page.get_by_role("slider", name="Standbys")
    knob.focus()
    knob.press("ArrowLeft")
    expect(page).to_have_url(re.compile("standbys.s2(=|%3D)null"))
    expect(answer(page, "Lag s2 p99")).to_have_count(0)
    page.wait_for_timeout(2500)  # a browser that goes back at once may still be sending the old address
    page.go_back()
    expect(answer(page, "Lag s2 p99")).to_have_count(1)
    expect(answer(page, "Commit p50")).to_have_text(before)


def test_a_link_opens_a_commit_to_follow(window: Open) -> None:
    """A deep link into another page shows that scenario's commit."""
    page = window().open("follow?scenario=quickstart/three-nodes&commit=100")
    expect(chart(page, "Commit 100 of app")).to_be_visible()


def test_a_click_on_a_commit_follows_it(window: Open) -> None:
    """A point in the chart of latencies leads to the life of that very commit."""
    page = window(height=1400).open()
    dots = page.locator(".stPlotlyChart").filter(has=page.locator(".scatterlayer .points path")).last
    dots.scroll_into_view_if_needed()
    plot = dots.locator(".js-plotly-plot")
    plot.hover()
    x, y = plot.evaluate(POINT)
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    expect(page).to_have_url(re.compile(r"/follow\?.*commit=\d+"))
    number = re.findall(r"commit=(\d+)", page.url)[0]
    expect(chart(page, f"Commit {number} of app")).to_be_visible()


def test_a_click_on_a_cell_of_a_sweep_opens_it_in_explore(window: Open) -> None:
    """The map fills in by itself, and a cell leads to the cluster that it stands for."""
    page = window(height=1400).open("sweep")
    plot = page.locator(".js-plotly-plot").filter(has=page.locator(".scatterlayer .points path"))
    expect(page.get_by_text("Click a cell to open it in Explore")).to_be_visible()
    plot.scroll_into_view_if_needed()
    plot.hover()
    x, y = plot.evaluate(POINT.replace("chart.calcdata.find((points) => points.length > 1)", "chart.calcdata.at(-1)"))
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    expect(page).to_have_url(re.compile(r"/\?.+="))
    expect(answer(page, "Stale reads")).to_contain_text("%")


def test_the_film_plays(window: Open) -> None:
    """Play moves time on by itself, WAL is seen on its way, and pause stops it."""
    page = window().open()
    page.get_by_role("button", name="▶ Play").scroll_into_view_if_needed()
    time = page.get_by_role("slider", name="Time", exact=True)
    start = float(time.input_value())
    page.get_by_role("button", name="▶ Play").click()
    page.wait_for_function(
        "(start) => [...document.querySelectorAll('*')].some((each) => each.shadowRoot && "
        "Number(each.shadowRoot.querySelector('input[type=range]')?.value) > start + 5)",
        arg=start,
    )
    page.get_by_role("button", name="❚❚ Pause").click()
    here = time.input_value()
    page.wait_for_timeout(300)
    assert time.input_value() == here
    for moment in range(0, 240, 8):
        time.fill(str(moment))
        if page.locator("circle.message").count():
            break
    else:
        pytest.fail("nothing was ever on its way")


def test_a_downloaded_scenario_runs_to_the_same_result(window: Open, tmp_path: Path) -> None:
    """The file that a page gives away is the state that it shows: run without a browser, its answers are the page's."""
    page = window().open("?scenario=quickstart/three-nodes&set=writers.app.rate=500/s&set=seed=3")
    shown = answer(page, "Commit p99").text_content() or ""
    page.get_by_role("button", name="Share and export").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Scenario", exact=True).click()
    waiting.value.save_as(tmp_path / "mine.yaml")
    result = replsim.run(tmp_path / "mine.yaml")
    assert replsim.summary.show_metric("commit_latency.p99", result.metrics["commit_latency.p99"]) == shown.strip()
    asked = replsim.load("quickstart/three-nodes", overrides={"writers.app.rate": "500/s", "seed": "3"})
    assert result.provenance.hash == replsim.run(asked).provenance.hash


def test_figures_and_data_are_given_away(window: Open, tmp_path: Path) -> None:
    """The figures come as one page, the data as CSV and as Parquet, and each is what its name says."""
    page = window().open()
    page.get_by_role("button", name="Share and export").click()
    begins = {"Figures, HTML": b"<!doctype html>", "Data, CSV": b"PK", "Data, Parquet": b"PK"}
    for label, start in begins.items():
        with page.expect_download() as waiting:
            page.get_by_role("button", name=label, exact=True).click()
        waiting.value.save_as(tmp_path / "file")
        assert (tmp_path / "file").read_bytes().startswith(start), label


def test_the_primary_dies_at_the_turn_of_a_knob(window: Open) -> None:
    """The faults knob kills the primary: the answers tell it, the film shows it, and the address brings it back."""
    opened = window(height=1800)
    page = opened.open("?scenario=quickstart/three-nodes")
    page.get_by_role("combobox", name="What breaks").click()
    page.get_by_role("option", name="the primary dies, a standby takes over").click()
    expect(page).to_have_url(re.compile("faults"))
    expect(answer(page, "Outage")).to_contain_text("s")
    shown = answer(page, "Outage").text_content() or ""
    page.get_by_text("the whole run").click()
    expect(page).to_have_url(re.compile("film=whole"))
    opened.rest()
    time = page.get_by_role("slider", name="Time", exact=True)
    cards = page.locator("svg[aria-label^='The cluster'] text")
    time.fill("0")
    expect(cards.filter(has_text=re.compile("^down$"))).to_have_count(0)
    time.fill("235")
    expect(cards.filter(has_text=re.compile("^down$"))).to_have_count(1)
    expect(cards.filter(has_text=re.compile("^primary$"))).to_have_count(1)
    again = window().open(page.url.removeprefix(opened.address + "/"))
    expect(answer(again, "Outage")).to_have_text(shown)


def test_a_broken_file_is_told_with_its_line_and_a_mended_one_runs(window: Open, tmp_path: Path) -> None:
    """An upload with a mistake shows the line and the mend; mended, it runs, and no address pretends to hold it."""
    page = window().open()
    page.get_by_text("Your own file").click()
    good = "name: mine\nduration: 2s\nwriters:\n  app: {rate: 200/s}\n"
    broken = tmp_path / "broken.yaml"
    broken.write_text(good.replace("rate: 200/s", "rate: 200"), encoding="utf-8")
    page.locator("input[type=file]").set_input_files(broken)
    expect(page.get_by_text("This scenario cannot run")).to_be_visible()
    expect(page.get_by_text("line 4")).to_be_visible()
    expect(page.get_by_text(re.compile("app: {rate: 200}"))).to_be_visible()
    mended = tmp_path / "mended.yaml"
    mended.write_text(good, encoding="utf-8")
    page.locator("input[type=file]").set_input_files(mended)
    expect(answer(page, "Throughput")).to_contain_text("/s")
    assert "scenario=" not in page.url


def test_the_gallery_asks_and_opens(window: Open) -> None:
    """The gallery shows each scenario's question, and opens it with one click."""
    page = window().open()
    page.get_by_role("button", name="Gallery").click()
    gallery = page.get_by_role("dialog")
    row = gallery.get_by_test_id("stHorizontalBlock").filter(has_text="What does a cascade cost in lag?")
    expect(row).to_be_visible()
    row.get_by_role("button", name="Open").click()
    expect(page).to_have_url(re.compile(r"scenario=postgresql(/|%2F)cascading"))
    expect(answer(page, "Lag s3 p99")).to_be_visible()


def test_a_long_run_shows_its_way_and_can_be_cancelled(window: Open) -> None:
    """A run of some time has a progress bar and a button that ends it at once; it can be started again."""
    page = window().open("?set=writers.app={clients: 40}&set=duration=2min")
    expect(page.get_by_test_id("stProgress")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled: nothing was kept")).to_be_visible()
    expect(page.get_by_role("button", name="Run it again")).to_be_visible()


@pytest.mark.parametrize("path", ["", "follow", "break_it", "compare", "sweep", "find", "validation", "learn"])
def test_every_page_fits_a_telephone(window: Open, path: str) -> None:
    """At 390 pixels in the dark theme nothing sticks out to the right, and the charts are dark."""
    page = window(width=390, height=844, theme="dark").open(path)
    wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - window.innerWidth")
    assert wide <= 0
    background = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    assert background == "rgb(14, 17, 23)"


def test_a_term_explains_itself_on_hover(window: Open) -> None:
    """A word of the glossary has its meaning as a tooltip, and the cursor says that there is one."""
    page = window().open("?scenario=quickstart/three-nodes")
    term = page.locator("abbr", has_text="acknowledged").first
    term.hover()
    assert "client" in (term.get_attribute("title") or "")
    assert term.evaluate("(each) => getComputedStyle(each).cursor") == "help"


def test_what_changed_is_said_beside_each_answer(window: Open) -> None:
    """After a turn an answer has its change; pinned, the run stays what later ones are compared with."""
    opened = window()
    page = opened.open("?scenario=quickstart/three-nodes")
    page.get_by_role("button", name="Pin as baseline").click()
    expect(page.get_by_text("Changes are against the pinned run")).to_be_visible()
    knob = page.get_by_role("slider", name="Writes")
    for _ in range(2):
        knob.focus()
        knob.press("ArrowRight")
        expect(page.get_by_test_id("stMetricDelta").first).to_be_visible()
        opened.rest()
    throughput = page.get_by_test_id("stMetric").filter(has_text="Throughput")
    expect(throughput.get_by_test_id("stMetricDelta")).to_contain_text(re.compile(r"\+\d+/s"))


def test_the_tour_asks_before_it_tells(window: Open) -> None:
    """In the tour a prediction comes first; then the runs are shown, and a click opens them in Explore."""
    page = window().open("learn?step=3")
    button = page.get_by_role("button", name="Run it and see")
    expect(button).to_be_disabled()
    page.get_by_text("Nothing", exact=True).click()
    button.click()
    expect(page.get_by_text("Right: nothing.")).to_be_visible()
    page.get_by_role("button", name="Open in Explore").click()
    expect(page).to_have_url(re.compile("scenario=tour(/|%2F)3-async-replica"))
    expect(answer(page, "Lag s1 p99")).to_be_visible()


def test_the_tour_ends_in_a_failover(window: Open) -> None:
    """The last step's run has a promotion in it: what was lost is told, and Explore opens that very run."""
    page = window().open("learn?step=8")
    page.get_by_text("About ten", exact=True).click()
    page.get_by_role("button", name="Run it and see").click()
    expect(page.get_by_text("Right: about ten.")).to_be_visible(timeout=3 * PATIENCE_SECONDS * 1000)
    expect(chart(page, "Who was primary").first).to_be_visible()
    page.get_by_role("button", name="Open in Explore").click()
    expect(answer(page, "Commits lost")).to_have_text(re.compile(r"^\s*\d+\s*$"))
