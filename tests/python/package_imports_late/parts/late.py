print("late loads")
NAME = "late"
