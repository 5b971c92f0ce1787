"""Judge rules without training: compare what pseudo labels of a checkpoint would teach with what true labels would.

    python tools/diagnose.py work_dirs/mine/mine.py work_dirs/mine/iter_2000.pth diagnosis --images 32

The unlabeled images of the config need masks (seg_map_path in the data_prefix of unlabeled, which --cfg-options can
add). Each is labeled on a training crop. For each peer and rule the table has the accuracy of the labels, the share
that weighs anything, the mean weight of right and of wrong labels, and the gradient beside that of the true labels: its
cosine, and its length along it. Gradients are of all parameters of the learner, on its own view, without mixes.

    OUT_DIR/diagnosis.csv       the same for each class, too
    OUT_DIR/diagnosis.png       gradients, and weights of each class
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from mmdmt.command_line import parser_of, run


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    parser = parser_of(__doc__)
    parser.add_argument('config', type=Path, help='of a run')
    parser.add_argument('checkpoint', type=Path, help='of the run; averaged weights label where it has them')
    parser.add_argument('out_dir', type=Path)
    parser.add_argument('--images', type=int, default=16, help='how many unlabeled ones (default: %(default)s)')
    parser.add_argument('--batch-size', type=int, default=4, help='images of a gradient (default: %(default)s)')
    parser.add_argument('--device', help='such as cpu or cuda:1 (default: the GPU, if there is one)')
    parser.add_argument('--cfg-options', nargs='+', default=[], help='changes of the config, key=value')
    args = parser.parse_args(argv)
    from mmengine.config import Config, DictAction  # these take seconds, which a help does not need
    from mmengine.device import get_device
    from mmengine.registry import DATASETS

    from mmdmt.apis.diagnosis import diagnose
    from mmdmt.apis.inference import init_peers
    from mmdmt.atomic_write import atomic_write
    from mmdmt.models.mutual_training import DynamicMutualTraining
    from mmdmt.visualization import draw_diagnosis

    config = Config.fromfile(args.config)
    options = argparse.ArgumentParser()
    options.add_argument('--cfg-options', nargs='*', action=DictAction)
    config.merge_from_dict(options.parse_args(['--cfg-options', *args.cfg_options]).cfg_options or {})
    model = init_peers(config, args.checkpoint, args.device or get_device())
    if not isinstance(model, DynamicMutualTraining):
        raise ValueError(f'{args.config} has one model, which nobody teaches: give the config of a run with peers.')
    dataset = DATASETS.build(config.train_dataloader.dataset)
    found = diagnose(model, dataset, args.images, args.batch_size)
    classes = dataset.metainfo['classes']
    args.out_dir.mkdir(parents=True, exist_ok=True)
    gradients: dict = {learner: {} for learner in found}
    weights: dict = {learner: {} for learner in found}
    with atomic_write(args.out_dir / 'diagnosis.csv') as unfinished, unfinished.open('w', newline='') as file:
        columns = [*next(iter(next(iter(found.values())).values())).overall(), 'share of weight']
        table = csv.writer(file)
        table.writerow(['learner', 'case', 'class', *columns])
        for learner, of_cases in found.items():
            width = max(map(len, of_cases))
            print(f'{learner:{width}} ' + ' '.join(f'{column:>15}' for column in columns[:-1]))
            for case, finding in of_cases.items():
                whole, by_class = finding.overall(), finding.by_class()
                gradients[learner][case] = whole['cosine'], whole['length']
                weights[learner][case] = by_class['weight of wrong'], by_class['weight of right']
                print(f'{case:{width}} ' + ' '.join(f'{value:15.3f}' for value in whole.values()))
                rows = {'': whole} | {
                    name: {column: numbers[number] for column, numbers in by_class.items()}
                    for number, name in enumerate(classes)
                }
                for name, row in rows.items():
                    cells = (f'{row[column]:.4f}' if column in row else '' for column in columns)
                    table.writerow([learner, case, name, *cells])
            print()
    draw_diagnosis(args.out_dir / 'diagnosis.png', gradients, weights, classes)


if __name__ == '__main__':
    run(main)
