"""Runners of our scripts: one has its work_dir for itself before it writes there, one tests with augmentation."""

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from mmdmt.engine.run_lock import enter_work_dir
from mmdmt.models.peer_tta import with_peers
from mmdmt.rules.facts import Facts, refuse
from mmdmt.rules.run_facts import read_loaders


class CheckedRunner(Runner):
    """MMEngine's runner, which looks at the loaders and lists of a config before it builds anything."""

    cfg: Config

    @classmethod
    def from_cfg(cls, cfg: Config) -> 'CheckedRunner':
        """Build one.

        Raises:
            ValueError: If settings of a loader exclude each other, or a list is not text.
        """
        facts = Facts()
        read_loaders(facts, cfg)
        refuse(facts)
        runner: CheckedRunner = super().from_cfg(cfg)
        return runner


class LockedRunner(CheckedRunner):
    """The same, which looks at its work_dir before the log and the config are written into it."""

    def setup_env(self, env_cfg: dict[str, Any]) -> None:
        """Lock the work_dir as soon as it is known which process this is.

        Raises:
            RuntimeError: If another run has it, or the user's own config would be overwritten.
        """
        super().setup_env(env_cfg)
        if is_main_process():
            enter_work_dir(Path(self.work_dir))
            _keep_config(Path(self.work_dir), self.cfg.filename)


class PeerTestRunner(CheckedRunner):
    """The same as the first, in which test-time augmentation is that of peers."""

    def build_model(self, model: Any) -> Any:
        """Build it."""
        return super().build_model(with_peers(model))


def _keep_config(work_dir: Path, filename: str | None) -> None:
    """Check that the config which MMEngine writes does not take the place of the one that the user wrote."""
    if not filename or not Path(filename).is_file():
        return
    dumped = work_dir / Path(filename).name
    if not dumped.is_file() or not dumped.samefile(filename):
        return
    if Config.fromfile(filename).pretty_text.strip() != dumped.read_text(encoding='utf-8').strip():
        raise RuntimeError(
            f'work_dir={work_dir} holds the config {filename}, which the merged config of the run would '
            'overwrite: give another --work-dir.'
        )
