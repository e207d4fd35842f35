"""Hostile input for everything that reads a journal.

`values` and `lines` make and seal hostile text, `records` and `files` whole hostile
files, which `families` names, and `mutate` breaks files that exist. `readers` and
`views` feed them to everything and check what comes out; `growth` measures how long it
takes. `coverage` sees which code an input reaches, `engine` puts all of this together,
`guided` does so under libFuzzer, and `child` runs either in a process of its own, which
`storms.fuzz` limits and watches.
"""
