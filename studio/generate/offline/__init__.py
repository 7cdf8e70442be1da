"""The offline author: new examples from what a spec holds, without a model."""
