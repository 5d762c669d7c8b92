"""Use cases: functions that do one thing in one unit of work, and know no protocol or page."""
