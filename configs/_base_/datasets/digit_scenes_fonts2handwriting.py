# From printed digits to handwritten ones: 600 labeled scenes of fonts (source), 600 of handwriting without labels
# (target), validation on 200 of handwriting. Nothing to download.
_base_ = 'digit_scenes.py'
train_dataloader = dict(
    dataset=dict(
        labeled=dict(domain='fonts', split='labeled', num_scenes=600),
        unlabeled=dict(domain='handwriting', split='unlabeled', num_scenes=600),
    )
)
val_dataloader = dict(dataset=dict(domain='handwriting', split='val'))
test_dataloader = val_dataloader
