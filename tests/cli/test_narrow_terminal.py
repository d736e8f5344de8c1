"""What is shown on a terminal that is too narrow for it."""

from __future__ import annotations

from tests.command_line import Hpo
from tests.terminal import Terminal


def test_what_ctrl_c_does_next_is_told_on_a_narrow_terminal(hpo: Hpo) -> None:
    hpo.job("echo loss=1\ntrap 'echo asked; sleep 1; exit' TERM\nuntil [ -e go ]; do sleep 0.05; done\n")
    with Terminal(hpo, "run", "spec.yaml", COLUMNS="60") as terminal:
        terminal.wait_for("running .* loss = 1")
        terminal.press("\x03")
        shown = terminal.wait_for(r"Ctrl-C\s+stops\s+them\s+at\s+once")
        assert "stopping (Ctrl-C): waiting for 1 trial; Ctrl-C" in shown
        assert terminal.wait() == 130
