"""Markdown to HTML, and sanitised HTML to a tree."""

from airside.rich_text.html_tree import parse_html, write_children
from airside.rich_text.markdown import render_markdown

BOX = '<label><input type="checkbox"{}><span></span></label>'


def test_a_list_whose_every_entry_begins_with_a_box_is_one_of_tasks() -> None:
    html = "".join(render_markdown("- [x] done\n- [X] too\n- [ ] open").split("\n"))
    assert '<ul data-type="taskList">' in html
    checked, empty = BOX.format(' checked="checked"'), BOX.format("")
    for state, box, word in (("true", checked, "done"), ("true", checked, "too"), ("false", empty, "open")):
        assert f'<li data-checked="{state}" data-type="taskItem">{box}<div><p>{word}</p></div></li>' in html


def test_a_list_with_an_entry_without_a_box_is_none_of_tasks() -> None:
    html = render_markdown("- [x] done\n- not a task")
    assert "taskList" not in html
    assert "[x] done" in html


def test_html_is_read_into_a_tree_and_written_as_it_was() -> None:
    html = '<ul><li class="a"><p>one<br>two</p></li><li>&lt;b&gt;</li></ul><p>three</p>'
    root = parse_html(html)
    assert [node.tag for node in root.elements()] == ["ul", "p"]
    assert [node.tag for node in root.find_all("li")] == ["li", "li"]
    first = next(root.find_all("li"))
    assert (first.attributes, html[first.start : first.end]) == (
        {"class": "a"},
        '<li class="a"><p>one<br>two</p></li>',
    )
    assert write_children(root) == html
