"""The pocket base: a chat model of 4.3M parameters made from nothing but the grammar in this folder.

``base/`` holds the model that ships. ``python -m studio.train.pocket.build`` makes one like it again:
``words`` and ``lexicon`` say what people talk about, ``exchanges`` how they talk, ``tones`` in which manner,
``corpus`` puts conversations together, ``model`` and ``training`` make and teach the network.
"""
