"""Write reports of runs as HTML pages."""

from mmdmt.reports.page import write_report

__all__ = ['write_report']
