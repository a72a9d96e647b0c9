"""A person's token for a hub: kept in the hub's own file in their home, where its client looks for it, and nowhere else."""

from pathlib import Path

from engine import home


def save(key: str, token: str) -> None:
    """Keep `token` for the hub called `key`; an empty one is forgotten."""
    token = token.strip()
    if key == "modelscope":
        from modelscope_hub.config import HubConfig

        config = HubConfig()
        if token:
            config.save_token(token)
        else:
            config.clear_token()
        return
    from huggingface_hub.constants import HF_TOKEN_PATH

    path = Path(HF_TOKEN_PATH)
    path.parent.mkdir(parents=True, exist_ok=True)
    if token:
        home.write_atomically(path, token.encode())
    else:
        path.unlink(missing_ok=True)
