from __future__ import annotations

import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from matplotlib.figure import Figure

from replank.lab.report.page import (
    Badge,
    Badges,
    Cell,
    Code,
    Column,
    Facts,
    Fold,
    Heading,
    Page,
    Picture,
    Section,
    Table,
    Text,
    render,
)

HOSTILE = "<img src=x onerror=alert(1)> \"quoted\" 'single' & </script></style>"
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Outline(HTMLParser):
    """Checks that every tag is closed in turn, and keeps tags, attributes and text."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def everything(text: str) -> Page:
    """A page with every kind of block, in which every text is the given one."""
    badge = Badge(text, text, "good")
    columns = (
        Column(text, lambda row: Cell(row["a"], text, url=text), sort_by="a"),
        Column(text, lambda row: Cell(badge=badge), number=True, wide=True),
    )
    blocks = (
        Text(text),
        Heading(text),
        Code(text),
        Facts({text: text, "link": (text, "https://example.org")}),
        Badges(((3, badge),)),
        Fold(text, (Text(text),)),
        Picture(Figure(figsize=(2, 1)), text, text),
        Table(pd.DataFrame({"a": [text], "id": [f"row {text}"]}), columns, text, stacked=True, anchor="id"),
    )
    return Page(text, text, (Section(text, blocks), Section("Second", ())))


@pytest.mark.parametrize("text", ["plain", HOSTILE], ids=["plain", "hostile"])
def test_a_page_is_well_formed(text: str) -> None:
    assert {"table", "figure", "svg", "details", "dl", "nav"} <= {
        tag for tag, _ in Outline(render(everything(text))).tags
    }


def test_hostile_text_stays_text() -> None:
    tame, wild = Outline(render(everything("plain"))), Outline(render(everything(HOSTILE)))
    assert [tag for tag, _ in wild.tags] == [tag for tag, _ in tame.tags]
    assert HOSTILE in wild.text


def test_nothing_is_loaded_from_elsewhere() -> None:
    page = render(everything("plain"))
    for tag, attributes in Outline(page).tags:
        for name in ("src", "href", "xlink:href", "data", "srcset"):
            address = attributes.get(name) or "#"
            assert address.startswith(("#", "data:")) or (tag, name) == ("a", "href")
    assert "@import" not in page
    assert "url(http" not in page


def test_ids_are_unique_on_a_page_with_several_pictures() -> None:
    pictures = tuple(Picture(Figure(figsize=(2, 1)), "caption") for _ in range(3))
    ids = [each["id"] for _, each in Outline(render(Page("t", "s", (Section("A", pictures),)))).tags if "id" in each]
    assert len(ids) == len(set(ids))


def test_links_within_the_page_lead_somewhere() -> None:
    tags = Outline(render(everything("plain"))).tags
    ids = {attributes.get("id") for _, attributes in tags}
    assert {each["href"][1:] for tag, each in tags if tag == "a" and (each["href"] or "").startswith("#")} <= ids  # type: ignore[index]


def test_readers_without_eyes_are_told() -> None:
    tags = Outline(render(everything("plain"))).tags
    assert ("html", {"lang": "en"}) in tags
    assert all("aria-label" in attributes for tag, attributes in tags if tag == "svg")
    assert all("scope" in attributes for tag, attributes in tags if tag == "th")
    assert sum(tag == "caption" for tag, _ in tags) == 1


def test_what_is_missing_has_no_sorting_key() -> None:
    frame = pd.DataFrame({"arm": ["a", "b"], "value": [1.5, float("nan")]})
    table = Table(frame, (Column("arm", lambda row: row["arm"]), Column("value", lambda row: "", sort_by="value")))
    keys = [
        each.get("data-key")
        for tag, each in Outline(render(Page("t", "s", (Section("A", (table,)),)))).tags
        if tag == "td"
    ]
    assert keys == ["1.5", None]


def test_rows_that_begin_a_group_have_addresses() -> None:
    frame = pd.DataFrame({"a": ["x", "y"], "where": ["group", ""]})
    table = Table(frame, (Column("a", lambda row: row["a"]),), anchor="where")
    tags = Outline(render(Page("t", "s", (Section("A", (table,)),)))).tags
    assert [each.get("id") for tag, each in tags if tag == "tr"] == [None, "group", None]


def test_equal_pages_give_equal_bytes() -> None:
    assert render(everything("plain")) == render(everything("plain"))


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, WCAG 2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_contrast_is_at_least_that_of_wcag_aa(theme: int) -> None:
    style = render(Page("t", "s", ()))
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", style.split(":root {")[theme + 1].split("}")[0]))
    for name in ("ink", "quiet", "link"):
        assert contrast(colours[name], colours["ground"]) >= 4.5
    for tone in ("good", "bad", "open", "none"):
        assert contrast(colours[tone], colours[f"{tone}-ground"]) >= 4.5
    for number in range(1, 7):
        assert contrast(colours[f"hue-{number}"], colours["ground"]) >= 2.9
