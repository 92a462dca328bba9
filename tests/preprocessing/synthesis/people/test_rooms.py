"""Drawn rooms."""

import numpy as np

from preprocessing.synthesis.people.rooms import CLOTH_SIDE, HEIGHT, WIDTH, cloth, drawn_room


def test_rooms_are_pictures_and_the_seed_decides(materials):
    garment = materials.garments[0].read()
    piece = cloth(garment)
    assert piece.shape == (CLOTH_SIDE, CLOTH_SIDE, 3) and (piece == (40, 40, 160)).all()
    rooms = [
        drawn_room(np.random.default_rng(seed), cloths=[piece], garments=[garment])
        for seed in (*range(8), 0)
    ]
    assert all(room.shape == (HEIGHT, WIDTH, 3) and room.dtype == np.uint8 for room in rooms)
    assert (rooms[0] == rooms[-1]).all() and (rooms[0] != rooms[1]).any()
