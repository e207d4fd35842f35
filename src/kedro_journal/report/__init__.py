"""Report: sessions made into self-contained HTML pages. Pure: state -> HTML.

What it owns: the pages of `kedro-journal report`.

Main modules:
    page, group_page: the page of a session; of a group of sessions on one clock.
    graph, graph_svg: a layered layout of a run's nodes, and its drawing.
    tables: what the template needs to draw, sort and filter a table.
    frame: template, style, script and Content-Security-Policy of every page.
    templates/: Jinja2 templates, one style sheet, one script.

Invariants:
    A page runs from a file: nothing is fetched and nothing is sent. Its script and its
    style sheet are inline, and the policy allows these two by their hash alone.
    Text of a journal reaches a page through an autoescaping template or through
    `text`, which also writes control characters visibly.

Writes nothing: the command writes the file.
"""
