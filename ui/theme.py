"""How the application looks: a Gradio theme, the style sheet, and the lines that go into the page's head."""

import hashlib
import json

import gradio as gr

from engine.home import ASSETS
from ui.text import Text

# The system's own fonts: nothing is fetched, and Chinese is set in a Chinese face on every system.
_FONT = (
    "Inter",
    "ui-sans-serif",
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "sans-serif",
)
_MONO = ("ui-monospace", "SFMono-Regular", "Consolas", "Noto Sans Mono CJK SC", "monospace")


def theme() -> gr.themes.Base:
    return gr.themes.Base(
        primary_hue=gr.themes.colors.indigo,
        secondary_hue=gr.themes.colors.indigo,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_lg,
        spacing_size=gr.themes.sizes.spacing_md,
        text_size=gr.themes.sizes.text_md,
        font=list(_FONT),
        font_mono=list(_MONO),
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_shadow="none",
        block_padding="0px",
        block_label_background_fill="transparent",
        block_label_text_color="*neutral_600",
        block_title_text_weight="550",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        block_info_text_color="*neutral_500",
        block_info_text_size="13px",
        panel_border_width="0px",
        panel_background_fill="transparent",
        input_border_width="1px",
        input_radius="11px",
        input_padding="9px 13px",
        input_background_fill="white",
        input_background_fill_dark="*neutral_900",
        input_border_color="*neutral_200",
        input_border_color_dark="*neutral_700",
        input_border_color_focus="*primary_400",
        input_shadow_focus="0 0 0 3px rgb(99 102 241 / 0.15)",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_500",
        button_primary_background_fill_hover_dark="*primary_400",
        button_primary_text_color="white",
        button_primary_shadow="0 1px 2px rgb(67 56 202 / 0.3), 0 6px 16px -6px rgb(79 70 229 / 0.45)",
        button_secondary_background_fill="white",
        button_secondary_background_fill_hover="*neutral_50",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="*neutral_200",
        button_secondary_border_color_dark="*neutral_700",
        button_secondary_text_color="*neutral_700",
        button_secondary_text_color_dark="*neutral_100",
        button_border_width="1px",
        button_cancel_background_fill="white",
        button_cancel_background_fill_hover="#fef2f2",
        button_cancel_background_fill_dark="#2d0f12",
        button_cancel_background_fill_hover_dark="#450a0a",
        button_cancel_text_color="#b91c1c",
        button_cancel_text_color_dark="#fca5a5",
        button_cancel_border_color="#fecaca",
        button_cancel_border_color_dark="#7f1d1d",
        button_secondary_shadow="0 1px 2px rgb(15 23 42 / 0.06)",
        button_secondary_shadow_hover="0 1px 2px rgb(15 23 42 / 0.06)",
        button_secondary_shadow_active="none",
        button_cancel_shadow="0 1px 2px rgb(15 23 42 / 0.06)",
        button_cancel_shadow_hover="0 1px 2px rgb(15 23 42 / 0.06)",
        button_cancel_shadow_active="none",
        checkbox_border_radius="6px",
        button_large_radius="12px",
        button_small_radius="10px",
        button_large_text_weight="600",
        button_large_padding="10px 20px",
        button_large_text_size="15px",
    )


# Gradio words its own parts (toasts, menus) in the browser's language; here they follow the page's.
_LANGUAGE = """<script>
for (const [name, value] of [["language", "{tag}"], ["languages", ["{tag}"]]])
  Object.defineProperty(navigator, name, {{ get: () => value }});
document.documentElement.lang = "{tag}";
</script>"""
# Except the titles of toasts, which it always gives in English; the style sheet puts these in their place.
_TOASTS = {"error": "app.error", "warning": "app.notice", "success": "app.done", "info": "app.info"}
_TAGS = {"zh": "zh-CN", "en": "en-US"}
_STYLES = (
    "tunedesk.css",
    "data.css",
    "compare.css",
    "models.css",
    "proof.css",
    "runs.css",
    "train.css",
    "votes.css",
    "learn.css",
)
# Each in this order: the first holds what the others draw with.
_SCRIPTS = (
    "draw.js",
    "data.js",
    "compare.js",
    "proof.js",
    "tunedesk.js",
    "models.js",
    "chart.js",
    "runs.js",
    "votes.js",
    "learn.js",
)


def head(t: Text) -> str:
    """The application's own scripts, styles and icon; a digest in an address makes a new version load at once."""
    titles = "".join(f"--td-toast-{kind}: {json.dumps(t(key), ensure_ascii=False)};" for kind, key in _TOASTS.items())
    return (
        f"{_LANGUAGE.format(tag=_TAGS[t.lang])}<style>:root {{{titles}}}</style>"
        f'<link rel="icon" type="image/svg+xml" href="{asset("icon.svg")}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        + "".join(f'<link rel="stylesheet" href="{asset(name)}">' for name in _STYLES)
        # In the page itself: Gradio does not wait for scripts that have an address, and components that appear before
        # these have come would stay dead.
        + "".join(f"<script>{(ASSETS / name).read_text(encoding='utf-8')}</script>" for name in _SCRIPTS)
    )


def asset(name: str) -> str:
    """The address of a file in `assets` that pages may load."""
    return f"/static/{name}?{hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()[:12]}"
