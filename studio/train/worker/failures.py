"""What goes wrong in training, as one line that says what to do about it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jinja2 import TemplateError

from studio.errors import UserError
from studio.train.types import TrainPlan

_CPU_ALLOCATOR = ("DefaultCPUAllocator", "not enough memory", "can't allocate memory")


@contextmanager
def explained(plan: TrainPlan) -> Iterator[None]:
    """Turns the failures that a user can mend into :class:`UserError`; all others pass as they are."""
    try:
        yield
    except UserError:
        raise
    except (torch.OutOfMemoryError, MemoryError):
        raise out_of_memory(plan) from None
    except RuntimeError as error:
        if any(mark in str(error) for mark in _CPU_ALLOCATOR):
            raise out_of_memory(plan) from None
        raise
    except TemplateError as error:
        remedy = "edit the conversations, or choose another base model"
        raise UserError(f"the chat template refuses the data: {error}", where=plan.base_path, remedy=remedy) from None
    except OSError as error:
        raise _from_disk(error, plan) from error


def out_of_memory(plan: TrainPlan) -> UserError:
    """What to lower first: what costs memory and does not change the result, then what does."""
    recipe, ways = plan.recipe, []
    if recipe.micro_batch > 1:
        ways.append(f"micro_batch_size below {recipe.micro_batch} (the batch stays {recipe.batch_size})")
    if recipe.method == "lora":
        ways.append("method qlora")
    ways.append(f"max_length below {recipe.max_length}")
    return UserError("out of memory", where=plan.base_model, remedy=f"train again with {', or '.join(ways)}")


def _from_disk(error: OSError, plan: TrainPlan) -> UserError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError("the disk is full", where=error.filename or "", remedy="free some space, then resume")
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return UserError(reason, where=plan.base_path, remedy="the log has the whole of it")
