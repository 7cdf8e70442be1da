"""Log-probabilities of replies by a run: loaded as it is served, rendered and masked as it was trained.

A process of its own: ``python -m studio.serve.worker.logprobs QUESTION ANSWER``.
"""

from __future__ import annotations

import sys

from studio.chatml import assistant
from studio.errors import UserError
from studio.serve.logprobs import Reply, Row, RunAnswer, RunQuestion, Runtime, answered
from studio.serve.worker.models import Served, load
from studio.serve.worker.plain import logprobs
from studio.train.worker.encoding import IGNORED, Encoder
from studio.train.worker.loading import four_bits
from studio.train.worker.placement import choose_placement


def answer(question: RunQuestion) -> RunAnswer:
    params, placement = question.params, choose_placement()
    served = load(params.base_path, params.adapter_path, params.method, params.system_prompt)
    in_four = params.method == "qlora"
    compute = four_bits(placement).bnb_4bit_compute_dtype if in_four else placement.dtype
    runtime = Runtime(
        dtype=str(placement.dtype).removeprefix("torch."),
        device=placement.device,
        four_bits=in_four,
        compute_dtype=str(compute).removeprefix("torch."),
    )
    return RunAnswer(rows=tuple(_row(served, reply) for reply in question.replies), runtime=runtime)


def _row(served: Served, reply: Reply) -> Row:
    """The prompt is what comes before the last reply; what is taught after it are the tokens with labels."""
    encoded = Encoder(served.tokenizer, served.context).encode((*reply.messages, assistant(reply.text)))
    labels = encoded.labels
    end = next((at for at in range(len(labels), 0, -1) if labels[at - 1] != IGNORED), 0)
    begin = next((at for at in range(end, 0, -1) if labels[at - 1] == IGNORED), 0)
    if not begin:
        raise UserError("a probe and its reply do not fit in the model's context", where=reply.messages[-1].content)
    prompt = encoded.input_ids[:begin]
    taught = [label for label in labels[begin:] if label != IGNORED]
    return Row(prompt=tuple(prompt), taught=tuple(taught), logprobs=tuple(logprobs(served.model, prompt, taught)))


if __name__ == "__main__":
    try:
        answered(RunQuestion, answer)
    except UserError as error:
        sys.exit(str(error))
