"""The garments of pictures on the terminal."""

import make

from realtime.sinks.terminal import TerminalSink


def test_a_line_a_garment(capsys):
    dress = make.garment("Dress", probability=0.934, colour="red", box=(1, 2, 11, 22), person=2)
    bag = make.garment("bag", probability=0.5, box=(3, 4, 5, 6))
    frames = make.labelled(0, dress, bag), make.labelled(1, bag), make.labelled(2)
    make.write_all(TerminalSink(), *frames, source=make.info("pics/a.jpg"))
    assert capsys.readouterr().out.splitlines() == [
        "a.jpg: 2 garments",
        "  Dress 0.93, red, person 2, box 1 2 11 22",
        "  bag 0.50, box 3 4 5 6",
        "a.jpg: 1 garment",
        "  bag 0.50, box 3 4 5 6",
        "a.jpg: no garments",
    ]
