print("parts load")
