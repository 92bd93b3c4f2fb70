"""Faults tried for real: killed nights and senders, damaged files, full disks; run by hand, in part by the tests."""
