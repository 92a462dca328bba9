"""Teaching by the command: pictures become a garment of a wardrobe, listed and forgotten."""

import cv2
import make
import pytest

from training import teach


@pytest.fixture
def pictures(tmp_path):
    """A folder of two pictures of a shirt."""
    folder = tmp_path / "shirt"
    folder.mkdir()
    for number, ground in enumerate((225, 190)):
        cv2.imwrite(str(folder / f"{number}.png"), make.scene(ground=ground))
    return folder


def run(capsys, *arguments):
    status = teach.main(list(map(str, arguments)))
    output = capsys.readouterr()
    return status, output.out.strip(), output.err.strip()


def test_garments_are_taught_listed_and_forgotten(pictures, tmp_path, capsys):
    file = tmp_path / "wardrobe.npz"
    status, out, err = run(capsys, "--images", pictures, "--name", "night shirt", "-o", file)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "taught night shirt by 2 pictures; 3 or more, from several sides, are better",
        f"{file}: night shirt (2); for photo",
    ]
    more = [pictures / "0.png", pictures / "1.png", pictures]
    status, out, _ = run(capsys, "--images", *more, "--name", "t-shirt", "-o", file)
    assert out.splitlines() == [
        "taught t-shirt by 4 pictures", f"{file}: night shirt (2), t-shirt (4); for photo"
    ]  # fmt: skip
    assert run(capsys, "--forget", "night shirt", "-o", file)[1].endswith(
        f"{file}: t-shirt (4); for photo"
    )
    assert run(capsys, "--list", "-o", file)[1] == f"{file}: t-shirt (4); for photo"
    run(capsys, "--images", pictures, "--name", "b", "-o", file, "--new")
    assert run(capsys, "--list", "-o", file)[1] == f"{file}: b (2); for photo"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["-o", "w.npz"], 2, "give --images PATH and --name NAME, --list, or --forget NAME"),
        (["--images", "a.png", "-o", "w.npz"], 2, "--images and --name go together"),
        (["--name", "a", "-o", "w.npz"], 2, "give --images PATH"),
        (["--list", "--new", "-o", "w.npz"], 2, "--new needs --images"),
        (["--list"], 2, "-o/--out"),
        (["--list", "-o", "none.npz"], 6, "no wardrobe none.npz"),
        (["--images", "none.png", "--name", "a", "-o", "w.npz"], 8, "no picture none.png"),
        (["--images", "a", "--name", "b", "-o", "w.npz", "--model", "deep"], 6, "cannot be taught"),
        (["--images", "a", "--name", "b", "-o", "w.npz", "--model", "none"], 6, "no model 'none'"),
    ],
)
def test_what_cannot_be_taught_is_one_clear_line(
    arguments, status, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    found, _, err = run(capsys, *arguments)
    assert found == status and message in err and err.count("\n") == 0
    assert list(tmp_path.iterdir()) == []


def test_pictures_without_the_layer_are_counted(pictures, tmp_path, capsys):
    status, _, err = run(
        capsys, "--images", pictures, "--layer", "bag", "--name", "a", "-o", tmp_path / "w.npz"
    )
    assert status == 8 and "no picture shows a bag: give another --layer" in err
