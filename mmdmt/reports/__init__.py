"""Reports: what a run was, how it went and how it ended, on one page."""

from mmdmt.reports.page import write_report

__all__ = ['write_report']
