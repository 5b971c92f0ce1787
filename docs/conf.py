"""How Sphinx builds docs/en: `make docs`, with every warning an error."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mmdmt.version import __version__  # noqa: E402

project = 'mmdmt'
author = 'the authors of mmdmt'
version = release = __version__

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon']
myst_heading_anchors = 3
exclude_patterns = ['_build']

autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
autodoc_preserve_defaults = True  # not the repr of what a default is
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes that autodoc finds itself are not described twice

html_theme = 'alabaster'
html_theme_options = {'description': 'Dynamic Mutual Training', 'page_width': '1100px', 'show_powered_by': False}
html_static_path = ['static']  # custom.css: wide tables scroll
html_copy_source = False


def link_files_outside(_app, _name, source):
    """Link Markdown files outside docs/en as files: MyST takes every .md for a page of its own."""
    source[0] = re.sub(r'\]\((\.\./[^)#]+\.md)(#[^)]*)?\)', r'](path:\1)', source[0])


def setup(app):
    """Call it for every page that is read."""
    app.connect('source-read', link_files_outside)
