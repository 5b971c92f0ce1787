from pathlib import Path

from mmdmt.folders import walk_once


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
