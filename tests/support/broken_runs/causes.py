"""One true cause of every kind, and changes that have nothing to do with it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from .project import RAW, NodeSpec, World

__all__ = ["CAUSES", "Cause", "Story", "distract"]

Answer = frozenset[tuple[str, str]]


@dataclass
class Story:
    """What is done, and which change is the true one.

    Attributes:
        world: The project.
        rng: Draws.
        answers: Kind and subject of the changes that name the cause; empty if the
            journal cannot see it.
        unseen: A word that what cannot be seen has then.
        marker: What the line of another tool has that shows the cause.
        node: The node that `why` is asked for; empty for the one that broke.
        again: How often the broken run is repeated, with more distractions.
        resumed: It breaks twice: the cause comes between the failure and the resume.
        grouped: Each node is a session of its own.
    """

    world: World
    rng: random.Random
    answers: Answer = frozenset()
    unseen: str = ""
    marker: str = ""
    again: int = 0
    resumed: str = ""
    grouped: bool = False
    interrupted: NodeSpec | None = None
    setup: list[str] = field(default_factory=list)

    def is_(self, *answers: tuple[str, str], marker: str) -> None:
        """Note the true cause."""
        self.answers = frozenset(answers)
        self.marker = marker


Cause = Callable[[Story, bool], None]
"""Called twice: before the good run, and with True before the broken one."""


def _pick(story: Story, *kinds: str, deep: bool = False) -> NodeSpec:
    """Draw a node: one of the first third, or any."""
    nodes = [one for one in story.world.on_way() if one.kind in (kinds or ("scale",))]
    nodes = nodes or story.world.on_way()
    chosen = nodes[: max(len(nodes) // 3, 1)] if deep else nodes
    rng = random.Random(len(story.world.nodes))  # the same in both calls
    return rng.choice(chosen)


def _file(node: NodeSpec) -> tuple[str, str]:
    return "source file", f"{node.module}.py"


def own_code(story: Story, now: bool) -> None:
    node = _pick(story, "mix", "scale", "total")
    if now:
        node.tail = "    rows = [value.strip() for value in rows]\n"
        story.is_(("code", node.name), marker=r"value\.strip|" + node.name + r"\b")


def upstream_code(story: Story, now: bool) -> None:
    node = _pick(story, "mix", "scale", "total", deep=True)
    if now:
        node.tail = '    rows = ["n/a", *rows]\n'
        story.is_(("code", node.name), marker=r'\["n/a"|code +' + node.name + r"\b")


def helper_raises(story: Story, now: bool) -> None:
    name = story.rng.choice(["mixing", "scaling", "totals"])
    if now:
        text = story.world.helpers[name]
        story.world.helpers[name] = text.replace(
            "    return", "    rows.lower()\n    return"
        )
        story.is_(
            ("source file", f"helpers/{name}.py"), marker=r"rows\.lower|source files"
        )


def helper_spoils(story: Story, now: bool) -> None:
    if now:
        text = story.world.helpers["scaling"]
        story.world.helpers["scaling"] = text.replace("value * factor", "str(value)")
        story.is_(
            ("source file", "helpers/scaling.py"), marker=r"str\(value\)|source files"
        )


def own_parameter(story: Story, now: bool) -> None:
    node = _pick(story, "scale")
    if now:
        name = f"factor_{node.name}"
        story.world.parameters[name] = {"value": 2}
        story.is_(("parameter", name), ("parameter", f"{name}.value"), marker=name)


def upstream_parameter(story: Story, now: bool) -> None:
    node = _pick(story, "scale", deep=True)
    if now:
        name = f"factor_{node.name}"
        story.world.parameters[name] = "2"
        story.is_(("parameter", name), marker=name)


def runtime_parameter(story: Story, now: bool) -> None:
    node = _pick(story, "scale", deep=True)
    if now:
        name = f"factor_{node.name}"
        story.world.runtime_params = {name: "3"}
        story.is_(("parameter", name), marker=name)


def lost_parameter(story: Story, now: bool) -> None:
    node = _pick(story, "scale")
    if now:
        name = f"factor_{node.name}"
        del story.world.parameters[name]
        story.is_(("parameter", name), marker=name)


def _raw_in_use(story: Story) -> str:
    used = {name for one in story.world.on_way() for name in one.inputs}
    return next(name for name in RAW if name in used)


def longer_input(story: Story, now: bool) -> None:
    name = _raw_in_use(story)
    if now:
        values = json.loads(story.world.raw[name])
        story.world.raw[name] = json.dumps([*values, "n/a"])
        story.is_(("input", name), marker=r"\b" + name + r"\b")


def same_size_input(story: Story, now: bool) -> None:
    name = _raw_in_use(story)
    if not now:
        story.world.raw[name] = json.dumps([*json.loads(story.world.raw[name]), 12345])
    else:
        story.world.raw[name] = story.world.raw[name].replace("12345", '"n/a"')
        story.is_(("input", name), marker=r"\b" + name + r"\b")


def torn_input(story: Story, now: bool) -> None:
    name = _raw_in_use(story)
    if now:
        story.world.raw[name] = story.world.raw[name][:-7]
        story.is_(("input", name), marker=r"\b" + name + r"\b")


def lost_input(story: Story, now: bool) -> None:
    name = _raw_in_use(story)
    if now:
        del story.world.raw[name]
        story.is_(("input", name), marker=r"\b" + name + r"\b")


def other_path(story: Story, now: bool) -> None:
    name = _raw_in_use(story)
    if now:
        story.world.catalog[name]["filepath"] = "data/spoilt.json"
        story.is_(("input", name), ("dataset", name), marker=r"spoilt|catalog\.yml")


def other_type(story: Story, now: bool) -> None:
    name = _raw_in_use(story)
    if now:
        story.world.catalog[name]["type"] = "brittle.datasets.LinesDataset"
        story.is_(("dataset", name), marker=r"LinesDataset|catalog\.yml")


def other_option(story: Story, now: bool) -> None:
    name = _raw_in_use(story)
    if now:
        story.world.catalog[name]["missing"] = "n/a"
        story.is_(
            ("configuration", "conf/base/catalog.yml"), marker=r"n/a|catalog\.yml"
        )


def other_env(story: Story, now: bool) -> None:
    node = _pick(story, "scale", deep=True)
    name = f"factor_{node.name}"
    story.world.overlays["conf/staging/parameters.yml"] = f'{name}: "4"\n'
    if now:
        story.world.env = "staging"
        story.is_(
            ("env", "environment"), ("parameter", name), marker=rf"staging|{name}"
        )


def listed_library(story: Story, now: bool) -> None:
    story.world.packages = "list"
    library(story, now)


def library(story: Story, now: bool) -> None:
    node = _pick(story, "mix", "scale", "total")
    node.extra = "    oddments.trim([])\n"
    if now:
        story.world.library = ("2.0", "def cut(rows): return rows\n")
        subject = "oddments" if story.world.packages == "list" else "installed packages"
        story.is_(("packages", subject), marker=r"oddments|packages")


def runner(story: Story, now: bool) -> None:
    node = _pick(story, "mix", "total")
    node.extra = (
        '    if multiprocessing.current_process().name != "MainProcess":\n'
        '        raise RuntimeError("cannot be used in a worker process")\n'
    )
    if now:
        story.world.runner = "ParallelRunner"
        story.is_(("runner", "runner"), marker="ParallelRunner")


def variable(story: Story, now: bool) -> None:
    node = _pick(story, "mix", "scale", "total", deep=True)
    node.tail = '    if os.environ["KEDRO_BRITTLE_MODE"] != "plain":\n        rows = [str(value) for value in rows]\n'
    story.world.variables["KEDRO_BRITTLE_MODE"] = "quoted" if now else "plain"
    if now:
        story.is_(("variable", "KEDRO_BRITTLE_MODE"), marker="KEDRO_BRITTLE_MODE")


def host(story: Story, now: bool) -> None:
    node = _pick(story, "mix", "scale", "total")
    node.extra = (
        '    if os.environ["BRITTLE_HOST"] != "blue":\n'
        '        raise ConnectionError("no route to the licence server")\n'
    )
    if now:
        story.world.host = "green"
        story.is_(("host", "host"), marker=r"\bgreen\b")


def wiring(story: Story, now: bool) -> None:
    node = _pick(story, "mix", "scale", "total", deep=True)
    if now:
        node.inputs = ["spoilt", *node.inputs[1:]]
        story.is_(("pipeline", node.name), marker="spoilt")


def partial(story: Story, now: bool) -> None:
    node = _pick(story, "scale", deep=True)
    node.bound = 'factor="2"' if now else "factor=2"
    if now:
        story.is_(("code", node.name), marker=r'factor="2"|code +' + node.name + r"\b")


def lost_node(story: Story, now: bool) -> None:
    nodes = story.world.on_way()
    used = {name for one in story.world.nodes for name in one.inputs}
    node = next(
        one
        for one in nodes
        if one.output in used and one.output not in story.world.catalog
    )
    if now:
        story.world.nodes.remove(node)
        story.is_(
            ("source file", "pipeline_registry.py"),
            ("pipeline", node.name),
            marker=rf"Node\({node.module}\.{node.name},|source files",
        )


def killed(story: Story, now: bool) -> None:
    name = _raw_in_use(story)
    node = next(one for one in story.world.on_way() if name in one.inputs)
    argument = "tables[0]" if node.kind == "mix" else "rows"
    if node.kind == "mix":
        node.inputs.remove(name)
        node.inputs.insert(0, name)
    node.extra = f"    if len({argument}) > 100:\n        os.kill(os.getpid(), 9)\n"
    if now:
        story.world.raw[name] = json.dumps(list(range(1, 400)))
        story.is_(("input", name), marker=r"\b" + name + r"\b")


def overwritten(story: Story, now: bool) -> None:
    node = next(
        one for one in story.world.on_way()
        if one.output in story.world.catalog
        and any(one.output in other.inputs for other in story.world.nodes)
    )  # fmt: skip
    if now:
        users = [o.name for o in story.world.nodes if node.output in o.inputs]
        story.setup.append(node.output)
        story.world.run_options = {"from_nodes": users}
        for one in (*story.world.nodes, *story.world.side):
            story.world.catalog.setdefault(one.output, story.world.entry(one.output))
        story.is_(("input", node.output), marker=r"\b" + node.output + r"\b")
    else:
        for one in (*story.world.nodes, *story.world.side):
            story.world.catalog[one.output] = story.world.entry(one.output)


def credentials(story: Story, now: bool) -> None:
    name = _raw_in_use(story)
    story.world.catalog[name]["credentials"] = "store"
    if now:
        story.world.overlays["conf/local/credentials.yml"] = "store: {token: expired}\n"
        story.unseen, story.marker = "credentials", "expired"


def service(story: Story, now: bool) -> None:
    node = _pick(story, "mix", "scale", "total")
    node.extra = (
        '    if os.environ["BRITTLE_SERVICE"] != "up":\n'
        '        raise ConnectionError("the service did not answer")\n'
    )
    if now:
        story.setup.append("service")
        story.unseen, story.marker = "services", "BRITTLE_SERVICE"


def broken_for_days(story: Story, now: bool) -> None:
    story.again = 2
    story.rng.choice([upstream_code, upstream_parameter, longer_input])(story, now)


def resumed(story: Story, now: bool) -> None:
    """Node `report` fails, is repaired, and its parameter is spoilt on the way."""
    node = story.world.on_way()[-1]
    node.extra = (
        '    if os.environ["BRITTLE_SERVICE"] != "up":\n'
        '        raise ConnectionError("the service did not answer")\n'
    )
    if now:
        story.resumed = node.name
        node.tail = '    rows = ["n/a", *rows]\n'
        story.is_(("code", node.name), marker=r'\["n/a"|code +' + node.name + r"\b")


def grouped(story: Story, now: bool) -> None:
    story.grouped = True
    for one in (*story.world.nodes, *story.world.side):
        story.world.catalog[one.output] = story.world.entry(one.output)
    upstream_code(story, now)


CAUSES: Final[tuple[Cause, ...]] = (
    own_code, upstream_code, helper_raises, helper_spoils, own_parameter,
    upstream_parameter, runtime_parameter, lost_parameter, longer_input,
    same_size_input, torn_input, lost_input, other_path, other_type, other_option,
    other_env, listed_library, library, runner, variable, host, wiring, partial,
    lost_node, killed, overwritten, credentials, service, broken_for_days, resumed,
    grouped,
)  # fmt: skip


def distract(story: Story, count: int, number: int) -> None:  # noqa: C901 - a list
    """Make changes that do not break the run, some of them on the way to the end."""
    world, rng = story.world, story.rng
    spared = {subject for _, subject in story.answers}
    nodes = [one for one in world.on_way() if one.name not in spared]
    scaling = [one for one in nodes if f"factor_{one.name}" not in spared]
    scaling = [one for one in scaling if one.kind == "scale" and not one.bound]
    raws = [name for name in RAW if name not in spared and name in world.raw]

    def readme() -> None:
        world.readme += f"Note {number}.\n"

    def unused_module() -> None:
        world.helpers["extra"] += f"\nNUMBER = {number}\n"

    def side_code() -> None:
        rng.choice(world.side).note = f"edited {number}"

    def side_parameter() -> None:
        world.parameters[f"factor_side{rng.randint(0, 2)}"] = 5 + number

    def new_parameter() -> None:
        world.parameters[f"new_{number}_{rng.randint(0, 99)}"] = number

    def side_input() -> None:
        world.raw["side_raw"] = json.dumps([number, *range(1, rng.randint(4, 30))])

    def new_configuration() -> None:
        world.overlays[f"conf/base/other_{number}.yml"] = f"a: {number}\n"

    def note_variable() -> None:
        world.variables["KEDRO_BRITTLE_NOTE"] = f"note {number}"

    def near_code() -> None:
        rng.choice(nodes).note = f"edited {number}"

    def near_parameter() -> None:
        if scaling:
            name = f"factor_{rng.choice(scaling).name}"
            if isinstance(world.parameters.get(name), int):
                world.parameters[name] = 5 + number

    def near_input() -> None:
        if raws:
            name = rng.choice(raws)
            text = world.raw[name]
            world.raw[name] = text.replace("[", f"[{number + 1}, ", 1)

    every = [
        readme, unused_module, side_code, side_parameter, new_parameter, side_input,
        new_configuration, note_variable, near_code, near_parameter, near_input,
    ]  # fmt: skip
    for change in rng.sample(every, count):
        change()
