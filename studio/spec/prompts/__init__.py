"""The prompts made from a spec, for who writes examples of it.

Every prompt is a pure function of its arguments, so that equal calls are equal bytes and are paid for once. What a
person or a model wrote goes in as data between tags that it cannot close.
"""

from studio.spec.prompts.author import author_messages

__all__ = ["author_messages"]
