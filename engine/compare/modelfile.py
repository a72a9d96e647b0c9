"""Ollama's Modelfile of an exported model: its chat template, said again in the language that Ollama's templates have.

Ollama finds a template in a GGUF file only where it is nearly one of a few that it knows, and otherwise hands the question
over bare, which a tuned model was never taught to answer.
"""

import json

from jinja2.exceptions import TemplateError

from engine.data.template import ChatTemplate

_ROLES = {"s": "system", "u": "user", "a": "assistant"}
# Contents that no template changes and that stand in none: private-use characters.
_STAND_INS = [f"\ue0f0{place}\ue0f1" for place in range(5)]


def written(template: ChatTemplate, weights: str) -> str:
    """The Modelfile for the file `weights` beside it. Without a template where that cannot be said in Ollama's terms."""
    lines = [f"FROM ./{weights}"]
    said = _said(template)
    if said:
        lines.append(f'TEMPLATE """{said}"""')
    question, answer = _STAND_INS[:2]
    text, spans = template.answers([{"role": "user", "content": question}, {"role": "assistant", "content": answer}])
    end = text[slice(*spans[-1])].partition(answer)[2].strip() if spans else ""
    if end and '"' not in end and "\n" not in end:
        lines.append(f'PARAMETER stop "{end}"')
    return "\n".join(lines) + "\n"


def _said(template: ChatTemplate) -> str | None:
    """The template as one of Go's: what stands before each content, by whose turn it is; None where it is not made of
    such pieces."""
    whole = _pieces(template, "uauau")
    if whole is None:
        return None
    first, answer, later, _, _, end = whole
    if whole != [first, answer, later, answer, later, end] or _pieces(template, "u") != [first, end]:
        return None
    steps = [
        f'{{{{- $next := {_quoted(first)} }}}}{{{{ range .Messages }}}}{{{{ if eq .Role "user" }}}}{{{{ $next }}}}',
        f'{{{{ .Content }}}}{{{{ else if eq .Role "assistant" }}}}{{{{ {_quoted(answer)} }}}}{{{{ .Content }}}}',
        f"{{{{ $next = {_quoted(later)} }}}}",
    ]
    instructed = _pieces(template, "su")
    if instructed and instructed[2] == end and _pieces(template, "suau") == [*instructed[:2], answer, later, end]:
        system, user, _ = instructed
        steps.append(
            f'{{{{ else if eq .Role "system" }}}}{{{{ {_quoted(system)} }}}}{{{{ .Content }}}}{{{{ $next = {_quoted(user)} }}}}'
        )
    return "".join([*steps, "{{ end }}{{ end }}", f"{{{{ {_quoted(end)} }}}}"])


def _pieces(template: ChatTemplate, turns: str) -> list[str] | None:
    """What the template writes around the contents of `turns` ("suau": system, user, assistant, user) before an answer;
    None where it does not take them or leaves one out."""
    contents = _STAND_INS[: len(turns)]
    messages = [{"role": _ROLES[turn], "content": content} for turn, content in zip(turns, contents, strict=True)]
    try:
        rest = template.render(messages, add_generation_prompt=True)
    except TemplateError:
        return None
    found = []
    for content in contents:
        before, there, rest = rest.partition(content)
        if not there:
            return None
        found.append(before)
    return [*found, rest]


def _quoted(text: str) -> str:
    """`text` as a string of Go's. Its own quotes are escaped by number: three in a row would end the template."""
    return '"' + json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', "\\u0022") + '"'
