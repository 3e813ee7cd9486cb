"""Sphinx builds the site from here: `make docs`."""

import os
import sys
from pathlib import Path

os.environ.setdefault("SCIPY_ARRAY_API", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "tools")]

import draw_house
import make_pages

import sklearn_rnn

sklearn_rnn._links.site = lambda: ".."  # of the estimators that the pages of the gallery show
make_pages.write(HERE)
draw_house.draw(HERE / "house.png")

project = "sklearn_rnn"
author = "sklearn_rnn developers"
project_copyright = author
version = release = sklearn_rnn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "math_ml",
]
exclude_patterns = ["_build", "tools", "sg_execution_times.rst", "gallery/sg_execution_times.rst"]
html_math_renderer = "mathml"
default_role = "py:obj"
templates_path = []
suppress_warnings = ["config.cache"]  # the gallery's settings hold functions

toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
copybutton_exclude = ".linenos, .gp, .go"

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "backreferences_dir": "gallery/uses",
    "doc_module": ("sklearn_rnn",),
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "min_reported_time": 1e9,
    "matplotlib_animations": False,
    "parallel": 2,
    "plot_gallery": os.environ.get("GALLERY", "1") != "0",
}

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_rnn"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "show_prev_next": True,
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"getting_started": [], "changelog": []}
