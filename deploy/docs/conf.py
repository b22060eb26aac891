"""The documentation site: the READMEs as they are, and the SDK's reference from its docstrings.

`make docs` builds it with the top of the repository as its source, so that links between READMEs
lead where they lead in the repository.
"""

from __future__ import annotations

from importlib.metadata import version as version_of

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
    "gateway/ui/README.md",
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
autodoc_typehints = "description"
suppress_warnings = [
    "myst.xref_missing",  # links to folders, which a site does not have
    "misc.highlighting_failure",  # JSON with an ellipsis where the rest is left out
]

html_theme = "furo"
html_title = f"runtail {release}"
html_show_sourcelink = False
html_show_sphinx = False
