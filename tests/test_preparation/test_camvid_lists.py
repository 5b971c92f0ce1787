"""The lists of the table of CamVid."""

import random

import pytest

from mmdmt.preparation.camvid_lists import camvid_lists
from mmdmt.preparation.published_splits import published_lists

DUSK = [f'0001TP_{number:06d}' for number in range(62)]
DAY = [f'0006R0_f{number:05d}' for number in range(305)]


def test_lists_have_the_sizes_and_names_of_the_published_ones():
    made = camvid_lists([*DAY, *DUSK])
    assert {file: len(images) for file, images in made.items()} == {
        file: known.count for file, known in published_lists('camvid').items()
    }


def test_each_split_id_is_drawn_with_itself_as_seed_and_nested():
    made = camvid_lists(reversed([*DAY, *DUSK]))
    for split_id in range(3):
        order = sorted([*DAY, *DUSK])
        random.Random(split_id).shuffle(order)
        for count in (10, 30, 92):
            assert made[f'split{split_id}/labeled_{count}.txt'] == tuple(sorted(order[:count]))
            assert made[f'split{split_id}/unlabeled_{count}.txt'] == tuple(sorted(order[count:]))
    assert len({made[f'split{split_id}/labeled_30.txt'] for split_id in range(3)}) == 3


def test_the_drive_at_dusk_is_halved_in_time():
    made = camvid_lists([*DAY, *DUSK])
    assert made['day2dusk/dusk.txt'] == tuple(DUSK[:31])
    assert made['day2dusk/dusk_val.txt'] == tuple(DUSK[31:])
    assert made['day2dusk/day.txt'] == tuple(DAY)
    assert set(made['day2dusk/day_and_dusk.txt']) == {*DAY, *DUSK[:31]}


@pytest.mark.parametrize(
    ('images', 'message'), [(DAY, '305 images by day and 0 at dusk'), (DUSK[:20], '30 of 20'), (DUSK[:9], '10 of 9')]
)
def test_other_images_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        camvid_lists(images)
