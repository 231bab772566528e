"""Networks to train: built-in ones by name, and the user's own. None imports TensorFlow early.

fitted:       A model that suits a workload, built, checked and compiled
loading:      Weights from a file
compiling:    A loss that suits the labels and the outputs
shapes:       Whether a model takes the images and gives an answer for each class
course:       The small networks of well-known courses
spec:         What --model names, read without TensorFlow
applications: The networks of keras.applications, and their own image sizes
"""
