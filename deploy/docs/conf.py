"""The documentation site: the READMEs as they are, and the SDK's reference from its docstrings.

`make docs` builds it with the top of the repository as its source, so that links between READMEs
lead where they lead in the repository.
"""

from __future__ import annotations

from importlib.metadata import version as version_of
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

project = "runtail"
author = "the runtail developers"
release = version = version_of("runtail")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "deploy/docs/index"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    ".github/*.md",
    "broker/README.md",
    "producers/README.md",
    "gateway/README.md",
    "gateway/THIRD_PARTY.md",
    "gateway/ui/README.md",
    "gateway/ui/client/README.md",
    "gateway/ui/react/README.md",
    "deploy/*.md",
    "deploy/docs/*.md",
    "tests/bench/README.md",
    "tests/bench/contenders/README.md",
    "tests/bench/report/README.md",
    "tests/bench/profiles/README.md",
]
exclude_patterns = ["**/node_modules", ".venv", ".bench", "dist"]

myst_heading_anchors = 4
myst_enable_extensions = ["html_image", "attrs_inline"]
default_role = "code"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # a name, where the value would fill the screen
suppress_warnings = [
    "misc.highlighting_failure",  # JSON with an ellipsis where the rest is left out
]

html_theme = "furo"
html_title = f"runtail {release}"
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["style"]
html_extra_path = ["root"]  # the first page, where people look for it
html_css_files = ["site.css"]


def setup(app: Sphinx) -> None:
    """Let links to folders be plain words, for a site has none; all others must lead somewhere."""
    app.connect("doctree-read", _without_folders)


def _without_folders(app: Sphinx, page: nodes.document) -> None:
    here = Path(app.env.doc2path(app.env.docname)).parent
    for link in [*page.findall(pending_xref)]:
        if (here / link["reftarget"]).is_dir():
            link.replace_self(link.children)
