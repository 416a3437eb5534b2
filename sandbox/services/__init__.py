"""What AWS's services do beyond what moto does: functions, rotations, tasks, disks, zones."""
