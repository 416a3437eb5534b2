"""Behavior of AWS's services that moto lacks: functions, rotations, tasks, storage, zones."""
