"""Renders authors' Markdown to inert HTML: no raw HTML, no pictures, no relative links."""

from functools import cache, lru_cache
from typing import Any

# The allowed tags; headings start below the page's own.
_TAGS = {
    "p", "br", "hr", "h3", "h4", "h5", "h6", "ul", "ol", "li", "strong", "em", "s", "code", "pre", "blockquote",
    "a", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_LOWERED = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6"}


@lru_cache(maxsize=128)
def render_markdown(text: str) -> str:
    """Safe HTML. The text is untrusted, so the renderer's output is sanitised again."""
    renderer, cleaner = _tools()
    return cleaner.clean(renderer.render(text))


@cache
def _tools() -> tuple[Any, Any]:
    import nh3  # imported on first use, since most processes never render a listing
    from markdown_it import MarkdownIt

    def lower(self: Any, tokens: Any, at: int, options: Any, env: Any) -> str:
        tokens[at].tag = _LOWERED[tokens[at].tag]
        return self.renderToken(tokens, at, options, env)

    # maxNesting bounds the nesting, so that a text of brackets takes linear time.
    renderer = MarkdownIt("commonmark", {"html": False, "maxNesting": 12}).enable(["table", "strikethrough"])
    renderer.disable(["image", "html_inline", "html_block", "entity"])
    renderer.add_render_rule("heading_open", lower)
    renderer.add_render_rule("heading_close", lower)
    cleaner = nh3.Cleaner(
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        link_rel="noreferrer noopener nofollow ugc",
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
    )
    return renderer, cleaner
