"""The prompts made from a spec: for who writes examples of it, and who judges them.

Every prompt is a pure function of its arguments, so that equal calls are equal bytes and are paid for once. What a
person or a model wrote goes in as data between tags that it cannot close.
"""

from studio.spec.prompts.author import author_messages
from studio.spec.prompts.judge import compare_messages, judge_messages

__all__ = ["author_messages", "compare_messages", "judge_messages"]
