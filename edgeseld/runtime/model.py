"""`edgeseld.load`: a model by id, training run or bundle."""
