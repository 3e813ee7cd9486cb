"""Formulas as MathML, which browsers draw themselves: pages need neither a script nor the network."""

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

ACCENTS = re.compile(r"\\(hat|bar|tilde)\s*(\{[^{}]*\}|\\[A-Za-z]+|\w)")


def setup(app):
    """Add the renderer to Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(translator, node):
    translator.body.append(tex2mathml(_with_groups(node.astext())))
    raise nodes.SkipNode


def _block(translator, node):
    text = "\n".join(part.strip() for part in node.astext().splitlines())
    translator.body.append(f'<div class="formula">{tex2mathml(_with_groups(text), as_block=True)}</div>')
    raise nodes.SkipNode


def _with_groups(tex):
    """Group letters with their accents; otherwise an index is set below the letter."""
    return ACCENTS.sub(r"{\\\1 \2{}}", tex)
