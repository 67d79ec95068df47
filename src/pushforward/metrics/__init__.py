"""What a comparison measures: functions of records, each usable alone. This package knows no family."""
