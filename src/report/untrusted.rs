//! Text that a project's author wrote must not steer the terminal of whoever checks it.

use std::borrow::Cow;

use annotate_snippets::normalize_untrusted_str;

use crate::source::credentials::without_credentials;

/// Control characters of the second set, some of which terminals obey like an escape: U+009B
/// begins a control sequence (ECMA-48, section 8.3.16).
fn is_c1(c: char) -> bool {
    ('\u{80}'..='\u{9f}').contains(&c)
}

/// Shows control characters, and those that change the direction of text, by a picture.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_control()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(normalize_untrusted_str(&text.replace(is_c1, "\u{fffd}")))
}

/// The same on one line.
pub fn line(text: &str) -> Cow<'_, str> {
    match harmless(text) {
        text if text.contains('\n') => Cow::Owned(text.replace('\n', " ")),
        text => text,
    }
}

/// Takes away credentials, and the characters that the excerpts' renderer would let through; every
/// byte keeps its position.
pub(super) fn same_length(text: &str) -> Cow<'_, str> {
    let text = without_credentials(text);
    if text.contains(is_c1) { Cow::Owned(text.replace(is_c1, "\u{b7}")) } else { text }
}
