//! Text to a scalar that no reader takes for anything else.

use std::fmt::Write as _;

use crate::yaml::scalar::{Resolved, go};

/// Writes text behind a key or a dash: on one line, or as a literal block whose lines stand at
/// `width`.
pub(super) fn text(out: &mut String, text: &str, width: usize) {
    if !text.contains('\n') || !is_literal(text) {
        return inline(out, text);
    }
    out.push_str(if text.ends_with('\n') { "|\n" } else { "|-\n" });
    let body = text.strip_suffix('\n').unwrap_or(text);
    for (at, line) in body.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if !line.is_empty() {
            super::indent(out, width);
            out.push_str(line);
        }
    }
}

/// Writes text on one line, in quotes where it needs them.
pub(super) fn inline(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else if text.contains(['"', '\\']) && text.chars().all(shows) {
        out.push('\'');
        for (at, part) in text.split('\'').enumerate() {
            if at > 0 {
                out.push_str("''");
            }
            out.push_str(part);
        }
        out.push('\'');
    } else {
        quoted(out, text);
    }
}

/// Writes text in double quotes, with escapes that YAML 1.1 and 1.2 share.
pub(super) fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            shown if shows(shown) => out.push(shown),
            // A `String` takes whatever is written to it.
            hidden => {
                let _ = match u32::from(hidden) {
                    code @ ..=0xff => write!(out, "\\x{code:02X}"),
                    code @ ..=0xffff => write!(out, "\\u{code:04X}"),
                    code => write!(out, "\\U{code:08X}"),
                };
            }
        }
    }
    out.push('"');
}

/// Whether a character shows as itself: not a control, a line break, a direction mark, an
/// unusual space, a byte order mark or an unassigned code.
pub(super) fn shows(char: char) -> bool {
    match char {
        ' '..='~' => true,
        '\0'..='\u{a0}' => false,
        // The standard library escapes for debugging what does not print.
        other => other.escape_debug().len() == 1,
    }
}

/// Whether the text is the same when it is written as a literal block without an indentation
/// indicator.
fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    // Leading blanks would need an indicator and more line breaks at the end another mark; on a
    // line of blanks alone readers differ.
    !body.is_empty()
        && !body.starts_with([' ', '\n'])
        && !body.ends_with('\n')
        && body.split('\n').all(|line| {
            let blank = !line.is_empty() && line.bytes().all(|byte| byte == b' ');
            !blank && line.chars().all(shows)
        })
}

/// Whether every reader takes the text, written without quotes, for that text.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    let starts = match first {
        b'-' => bytes.get(1).is_some_and(|next| !b" -".contains(next)) || is_flag(bytes),
        first => first.is_ascii_alphanumeric() || b"_/.$(+^".contains(&first) || first > b'~',
    };
    starts && last != b' ' && last != b':' && inside(text) && !is_other_thing(text, first)
}

/// `--name`, but never the start of a document's separator.
fn is_flag(bytes: &[u8]) -> bool {
    bytes.starts_with(b"--") && bytes.get(2).is_some_and(u8::is_ascii_alphanumeric)
}

/// Whether nothing inside ends a plain scalar.
fn inside(text: &str) -> bool {
    let mut before = 0;
    let ascii = text.bytes().all(|byte| {
        let fine = match byte {
            b' ' => before != b':',
            b'#' => before != b' ',
            // What is not ASCII is looked at below.
            b'!'..=b'~' | 0x80.. => true,
            _ => false,
        };
        before = byte;
        fine
    });
    ascii && (text.is_ascii() || text.chars().all(shows))
}

/// Whether any reader could take the plain text for a number, a boolean, a time or nothing.
fn is_other_thing(text: &str, first: u8) -> bool {
    match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => is_like_number(text),
        // Words of YAML 1.1 and 1.2, in whatever case.
        b'a'..=b'z' | b'A'..=b'Z' if text.len() <= 5 => {
            const WORDS: &[&str] = &["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
            WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        }
        _ => false,
    }
}

/// Wider than any reader's idea of a number: what Go resolves, base prefixes, sexagesimal numbers
/// and grouped digits of YAML 1.1, times. Addresses and versions with two dots are text to all.
fn is_like_number(text: &str) -> bool {
    if go(text) != Resolved::Text || text.starts_with("...") {
        return true;
    }
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let bytes = body.as_bytes();
    if bytes.is_empty() || (bytes[0] == b'.' && body[1..].len() <= 3 && is_special(&body[1..])) {
        return true;
    }
    if let [b'0', base, ..] = bytes
        && b"xXoObB".contains(base)
    {
        return true;
    }
    let date = bytes.len() > 4 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-';
    let dotted = body.matches('.').nth(1).is_some()
        && bytes[0].is_ascii_digit()
        && bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let digits = |byte: &u8| byte.is_ascii_digit() || b"_,.+-eE:".contains(byte);
    date || (!dotted && bytes.iter().all(digits))
}

fn is_special(word: &str) -> bool {
    word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("nan")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What some reader takes for something else, or cannot read.
    const QUOTED: &[&str] = &[
        "",
        " ",
        " a",
        "a ",
        "a: b",
        "a:",
        ":a",
        "a #b",
        "#a",
        "- a",
        "-",
        "--- a",
        "---",
        "...",
        "... a",
        "null",
        "NULL",
        "nUll",
        "~",
        "true",
        "Yes",
        "NO",
        "on",
        "oFF",
        "y",
        "N",
        "=",
        "<<",
        "=x",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a`",
        "|",
        ">",
        "?",
        "? a",
        "[a]",
        "{a}",
        "'a'",
        "\"a\"",
        "0",
        "1",
        "-1",
        "+1",
        "010",
        "0o7",
        "0x1F",
        "0xzz",
        "0b1",
        "1_000",
        "1,000",
        "1.5",
        ".5",
        "1.",
        "1e3",
        "1e1000",
        "12:30:45",
        "190:20:30.15",
        "2024-01-01",
        "2024-01-01T10:00:00Z",
        ".inf",
        "-.INF",
        ".NaN",
        "99999999999999999999999",
        "1.2.3e5",
        "+",
        ".",
        "a\tb",
        "a\u{7f}",
        "a\u{85}",
        "a\u{a0}",
        "\u{feff}a",
        "a\u{2028}",
        "a\u{202e}b",
        "a\u{200b}",
    ];

    /// What every reader takes for that text.
    const PLAIN: &[&str] = &[
        "a",
        "use1",
        "10.0.0.0/8",
        "10.0.0.1",
        "1.19.6",
        "fd00::/8",
        "2001:db8::1",
        "80/TCP",
        "a b",
        "a:b",
        "a#b",
        "/metrics",
        "^/api/.*$",
        "--flag",
        "-x",
        "$(VAR)",
        "app.kubernetes.io/name",
        "arn:aws:iam::111122223333:role/x",
        "nobody",
        "yesterday",
        "100ms",
        "10Gi",
        "é",
        "日本語",
        "0 0 1 */4 *",
        "1.20-rc.1",
        "v1",
        "it's",
    ];

    #[test]
    fn what_a_reader_could_mistake_is_quoted() {
        for text in QUOTED {
            assert!(!is_plain(text), "`{text}`");
        }
        for text in PLAIN {
            assert!(is_plain(text), "`{text}`");
        }
    }

    #[test]
    fn hidden_characters_are_escaped() {
        let mut out = String::new();
        super::text(&mut out, "a\u{1b}\u{85}\u{2028}\u{feff}\u{e0001}\t\"\\\0\r\n", 2);
        assert_eq!(out, r#""a\x1B\x85\u2028\uFEFF\U000E0001\t\"\\\x00\r\n""#);
    }

    #[test]
    fn only_exact_text_is_a_block() {
        for text in ["a\nb", "a\nb\n", "a\n\n  b\n", "# a\n- b: c\n", "---\na\n"] {
            assert!(is_literal(text), "{text:?}");
        }
        for text in ["\n", "\na", " a\nb", "a\n\n", "a\n \nb", "a\r\nb", "a\n\tb", "a\nb\u{85}"] {
            assert!(!is_literal(text), "{text:?}");
        }
    }
}
