"""What somebody who rehearses asks of a sandbox beside what AWS answers."""
