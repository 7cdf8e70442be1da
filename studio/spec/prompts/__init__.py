"""The prompts made from a spec: for who plays the persona, who writes examples of it, and who judges them.

Every prompt is a pure function of its arguments, so that equal calls are equal bytes and are paid for once. What a
person or a model wrote goes in as data between tags that it cannot close.
"""

from studio.spec.prompts.author import author_messages
from studio.spec.prompts.judge import compare_messages, judge_messages
from studio.spec.prompts.persona import persona_prompt

__all__ = ["author_messages", "compare_messages", "judge_messages", "persona_prompt"]
