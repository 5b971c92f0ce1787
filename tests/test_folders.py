from pathlib import Path

from mmdmt.folders import list_images, walk_once


def test_a_folder_is_listed_once_whatever_links_lead_to_it(tmp_path):
    images, other = tmp_path / 'images', tmp_path / 'other'
    for path in (images / 'a' / '1.png', other / '2.png'):
        path.parent.mkdir(parents=True)
        path.write_text('')
    (images / 'itself').symlink_to(images)
    (images / 'above').symlink_to(tmp_path)
    (images / 'b').symlink_to(images / 'a')
    (images / 'linked').symlink_to(other)
    (images / 'twice').symlink_to(other)
    found = [str(Path(place, file).relative_to(images)) for place, files in walk_once(images) for file in files]
    assert found == ['a/1.png', 'linked/2.png']


def test_masks_and_hidden_files_are_no_images_and_what_is_left_out_is_said(tmp_path):
    for name in ('a.png', 'a_mask.png', 'b.JPG', 'b_predict.png', 'notes.txt', 'c.heic', '.d.png', '.trash/e.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    images, left_out = list_images(tmp_path)
    assert [path.name for path in images] == ['a.png', 'b.JPG']
    assert left_out == (
        '2 of 6 files have other suffixes: .heic 1, .txt 1; 2 are masks or predictions beside their images, such as '
        'a_mask.png'
    )
    assert [path.name for path in list_images(tmp_path, ('.png',), any_case=False).images] == ['a.png', 'b_predict.png']
