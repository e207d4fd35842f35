"""A session as one self-contained page. Pure: state and records -> HTML.

The page runs from a file: nothing is fetched, its one script and its one style sheet
are inline, and a Content-Security-Policy allows these two by their hash and nothing
else. Text of a journal reaches the page through an autoescaping template or through
`text`, which also writes control characters visibly.
"""
