OWN = "own calendar"
