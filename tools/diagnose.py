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
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
    with atomic_write(args.out_dir / 'diagnosis.csv') as unfinished, unfinished.open('w', newline='') as file:
        table = csv.writer(file)
        for learner, of_cases in found.items():
            width = max(map(len, of_cases))
            columns = list(next(iter(of_cases.values())).overall())
            print(f'{learner:{width}} ' + ' '.join(f'{column:>15}' for column in columns))
            if file.tell() == 0:
                table.writerow(['learner', 'case', 'class', *columns, 'share of weight'])
            for case, finding in of_cases.items():
                overall = finding.overall()
                print(f'{case:{width}} ' + ' '.join(f'{value:15.3f}' for value in overall.values()))
                table.writerow([learner, case, '', *(f'{value:.4f}' for value in overall.values()), ''])
                wrong, right = finding.mean_weight
                for number, name in enumerate(classes):
                    share = f'{finding.share_of_weight[number]:.4f}'
                    values = finding.accuracy[number], finding.share_kept[number], right[number], wrong[number]
                    table.writerow([learner, case, name, *(f'{value:.4f}' for value in values), '', '', share])
            print()
    gradients = {
        learner: {case: (one.overall()['cosine'], one.overall()['length']) for case, one in of_cases.items()}
        for learner, of_cases in found.items()
    }
    weights = {
        learner: {case: one.mean_weight for case, one in of_cases.items()} for learner, of_cases in found.items()
    }
    draw_diagnosis(args.out_dir / 'diagnosis.png', gradients, weights, classes)


if __name__ == '__main__':
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(str(error))
