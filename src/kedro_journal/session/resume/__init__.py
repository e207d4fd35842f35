"""Resume: run what an earlier session left, or all of it again.

What it owns: the decision which session is resumed, and its start. What is left to run
is worked out by `analysis.resume`, which is pure.

    chain -> present -> planning -> resumption

Modules:
    chain: the session, those it was resumed from, and whether it may be resumed.
    present: the project as it is now: pipeline, datasets, code, configuration.
    planning: `resume_plan`, the plan without running it.
    resumption: claims the session, so that no other process resumes it as well.
    resumable: the class methods that users call.

Invariants:
    A journal that is resumed is not changed.
    A session whose process may be alive is refused, without force.
    Where the evidence does not suffice, a node runs again.
"""
