"""What keeps a page from people who see poorly or do not use a mouse, as far as a program can tell (WCAG 2.1 AA).

Chromium itself is asked: its accessibility tree for names (1.1.1, 2.4.4, 3.3.2, 4.1.2), its painted colours for contrast (1.4.3),
the document for its language and title (2.4.2, 3.1.1), ids that stand twice and steps in the tab order (2.4.3).
"""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

__all__ = ["faults_of"]

_CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")
_CONTRAST = _CONTRAST[_CONTRAST.index("() =>") :].rstrip().removesuffix(";")

_FIELDS = {"textbox", "searchbox", "combobox", "listbox", "checkbox", "radio", "slider", "spinbutton", "switch", "Date"}
_NAMED = _FIELDS | {"button", "link", "tab", "menuitem", "dialog", "image", "img", "navigation"}
"""Roles that say nothing without a name."""

_DOCUMENT = """() => {
  const wrong = [];
  if (!document.documentElement.lang) wrong.push("the document has no language");
  if (!document.title) wrong.push("the document has no title");
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  if (twice.length) wrong.push(`ids that stand twice: ${[...new Set(twice)].join(", ")}`);
  for (const one of document.querySelectorAll("[tabindex]")) if (one.tabIndex > 0) wrong.push(`tabindex ${one.tabIndex}`);
  const shown = [...document.querySelectorAll("main, [role=main]")].filter((one) => one.checkVisibility());
  if (shown.length > 1) wrong.push(`${shown.length} main parts`);
  return wrong;
}"""


def faults_of(page: Page) -> list[str]:
    """A sentence for each fault of what is shown now; none is what a page should have."""
    return [*page.evaluate(_DOCUMENT), *_nameless(page), *page.evaluate(_CONTRAST)]


def _nameless(page: Page) -> list[str]:
    session = page.context.new_cdp_session(page)
    try:
        nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]  # Any: as the protocol has it
        return [_described(session, node) for node in nodes if _is_nameless(node)]
    finally:
        session.detach()


def _is_nameless(node: dict[str, Any]) -> bool:
    role = node.get("role", {}).get("value", "")
    return not node.get("ignored") and role in _NAMED and not str(node.get("name", {}).get("value", "")).strip()


def _described(session: Any, node: dict[str, Any]) -> str:  # Any: Playwright gives no type for what it sends
    html = session.send("DOM.getOuterHTML", {"backendNodeId": node["backendDOMNodeId"]})["outerHTML"]
    return f"a {node['role']['value']} without a name: {html[:160]}"
