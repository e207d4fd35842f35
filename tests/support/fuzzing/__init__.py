"""Hostile input for everything that reads a journal.

`values` and `lines` make and seal hostile text, `families` whole hostile files,
`mutate` breaks files that exist, `targets` feeds them to every reader and checks what
comes out, `coverage` sees which code an input reaches, `engine` puts these together,
and `child` runs the engine in a process of its own, which `storms.fuzz` limits and
watches.
"""
