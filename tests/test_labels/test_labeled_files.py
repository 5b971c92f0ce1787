import os

import pytest

from mmdmt.labels.labeled_files import NAME, SAMPLED, check_files, note_files


@pytest.fixture
def images(tmp_path):
    paths = []
    for number in range(SAMPLED + 10):
        path = tmp_path / f'{number}.png'
        path.write_bytes(bytes([number]) * 10)
        os.utime(path, (1e9, 1e9))
        paths.append(str(path))
    note_files(tmp_path, paths)
    return paths


def test_files_as_they_were_or_copied_pass(images, tmp_path):
    os.utime(images[3], (2e9, 2e9))
    check_files(tmp_path, images)


@pytest.mark.parametrize('content', [b'x' * 10, b'longer than before'])
def test_other_images_under_the_same_names_are_refused(images, tmp_path, content):
    for path in images:
        with open(path, 'wb') as file:  # noqa: PTH123
            file.write(content)
    with pytest.raises(ValueError, match='not those that the pseudo labels in .* were made of'):
        check_files(tmp_path, images)


def test_a_damaged_note_is_refused(images, tmp_path):
    (tmp_path / NAME).write_text((tmp_path / NAME).read_text().replace('a', 'b', 1))
    with pytest.raises(ValueError, match='is damaged'):
        check_files(tmp_path, images)


def test_images_that_are_no_files_and_labels_without_a_note_pass(tmp_path):
    check_files(tmp_path, [])
    note_files(tmp_path, ['/nowhere/0', 's3://bucket/1'])
    check_files(tmp_path, ['/nowhere/0', 's3://bucket/1'])
