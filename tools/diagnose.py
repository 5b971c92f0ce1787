"""Judge rules without training: compare what pseudo labels of a checkpoint would teach with what true labels would.

    python tools/diagnose.py work_dirs/mine/mine.py work_dirs/mine/iter_2000.pth diagnosis --images 32

The unlabeled images of the config need masks (seg_map_path in the data_prefix of unlabeled). Each is labeled on a
training crop. For each peer and rule the table has the accuracy of the labels, the share that weighs anything, the mean
weight of right and of wrong labels, and the gradient beside that of the true labels: its cosine, and its length along
it. Gradients are of all parameters of the learner, on its own view, without mixes.

    OUT_DIR/diagnosis.csv       the same for each class, too
    OUT_DIR/diagnosis.png       gradients, and weights of each class
"""

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
    args = parser.parse_args(argv)
    from mmengine.device import get_device  # these take seconds, which a help does not need

    from mmdmt.apis.diagnosis import diagnose
    from mmdmt.apis.inference import init_peers, read_config
    from mmdmt.apis.peer_labels import mutual_dataset, write_csv
    from mmdmt.models.mutual_training import DynamicMutualTraining
    from mmdmt.visualization import draw_diagnosis

    config = read_config(args.config)
    model = init_peers(config, args.checkpoint, args.device or get_device())
    if not isinstance(model, DynamicMutualTraining):
        raise ValueError(f'{args.config} has one model, which nobody teaches: give the config of a run with peers.')
    dataset = mutual_dataset(config)
    found = diagnose(model, dataset, args.images, args.batch_size)
    classes, rows = dataset.metainfo['classes'], []
    for learner, of_cases in found.items():
        columns = [*next(iter(of_cases.values())).overall(), 'share of weight']
        width = max(map(len, of_cases))
        print(f'{learner:{width}} ' + ' '.join(f'{column:>15}' for column in columns[:-1]))
        for case, finding in of_cases.items():
            whole, by_class = finding.overall(), finding.by_class()
            print(f'{case:{width}} ' + ' '.join(f'{value:15.3f}' for value in whole.values()))
            for number, name in enumerate(['', *classes]):
                numbers = {key: values[number - 1] for key, values in by_class.items()} if name else whole
                cells = (f'{numbers[column]:.4f}' if column in numbers else '' for column in columns)
                rows.append([learner, case, name, *cells])
        print()
    write_csv(args.out_dir / 'diagnosis.csv', [['learner', 'case', 'class', *columns], *rows])
    draw_diagnosis(args.out_dir / 'diagnosis.png', found, classes)


if __name__ == '__main__':
    run(main)
