//! Credentials that somebody wrote into a URL: a secret that no message and no excerpt shows.

use std::borrow::Cow;
use std::ops::Range;

/// Whether a URL has a user with a password in it, or a user alone where that may be a token.
pub fn has_credentials(url: &str) -> bool {
    next(url, 0).is_some()
}

/// The text with the credentials of every URL in it struck out; every byte keeps its position.
pub fn without_credentials(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut done = 0;
    while let Some(secret) = next(text, done) {
        shown.push_str(&text[done..secret.start]);
        shown.extend(secret.clone().map(|_| '*'));
        done = secret.end;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[done..]);
    Cow::Owned(shown)
}

/// The first credentials behind a place.
///
/// An authority ends at `/`, `?` or `#` (RFC 3986, 3.2); in other text also at a space. What
/// stands before its last `@` is `user:password`. Over HTTP a user alone may be a token: hosts of
/// repositories take one in place of either. SSH takes no password there, and needs the user.
fn next(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        let start = at + text[at..].find("://")? + "://".len();
        let rest = &text[start..];
        let end = rest.find(|c: char| "/?#".contains(c) || c.is_whitespace());
        let authority = &rest[..end.unwrap_or(rest.len())];
        let user = authority.rfind('@').map(|end| &authority[..end]);
        let scheme = &text.as_bytes()[..start - "://".len()];
        let token = ["http", "https", "oci"].iter().any(|web| ends_with(scheme, web));
        if let Some(user) = user.filter(|user| user.contains(':') || token && !user.is_empty()) {
            return Some(start..start + user.len());
        }
        at = start + authority.len();
    }
}

/// Whether bytes end with a word, in lower or upper case.
fn ends_with(bytes: &[u8], word: &str) -> bool {
    let end = bytes.len().checked_sub(word.len()).map(|start| &bytes[start..]);
    end.is_some_and(|end| end.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{has_credentials, without_credentials};

    #[test]
    fn credentials_are_seen() {
        for url in [
            "https://me:secret@git.example.com/a",
            "http://:x@h",
            "https://ghp_0123456789@git.example.com/a",
            "HTTPS://token@h",
            "oci://token@h/charts",
            "ssh://me:secret@h/a",
            "https://me:se@cret@h/a",
        ] {
            assert!(has_credentials(url), "{url}");
        }
        for url in [
            "https://git.example.com/a:b@c",
            "https://h?a@b",
            "https://@h/a",
            "ssh://git@h/a",
            "git@h:a/b",
            "https://h:80/a",
            "",
        ] {
            assert!(!has_credentials(url), "{url}");
        }
    }

    #[test]
    fn every_url_of_a_text_is_struck_out() {
        let text = r#"a: ["https://me:é@h/a", ssh://git@h, http://x@h/http://y:z@h] # ://"#;
        let shown = r#"a: ["https://*****@h/a", ssh://git@h, http://*@h/http://***@h] # ://"#;
        assert_eq!(without_credentials(text), shown);
        assert_eq!(text.len(), shown.len());
        assert_eq!(without_credentials("https://h/a"), "https://h/a");
    }
}
