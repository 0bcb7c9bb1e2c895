//! The expressions that HTTP rules compare methods and paths with.
//!
//! They match the whole value (`getHTTPRule` in Cilium's `pkg/envoy`). Most are plain text or all
//! paths below one, for which no expression has to be compiled.

use std::str::Chars;

/// How compile and people write everything below a path: its end, or an element or a query more.
const BELOW: &str = "([/?].*)?";

/// Most bytes that a compiled expression may take.
const MOST: usize = 1 << 20;

/// The text that an expression matches, if it is only one.
pub fn literal(expression: &str) -> Option<String> {
    let mut text = String::with_capacity(expression.len());
    let mut chars = expression.chars();
    while let Some(next) = chars.next() {
        text.push(plain(next, &mut chars)?);
    }
    Some(text)
}

/// The text with which everything begins that an expression matches, as far as it is plain.
pub fn start(expression: &str) -> String {
    let mut start = String::new();
    if expression.contains('|') {
        return start;
    }
    let mut chars = expression.chars();
    while let Some(next) = chars.next() {
        let plain = plain(next, &mut chars);
        // What follows may say that it need not be there.
        let Some(plain) = plain.filter(|_| !chars.as_str().starts_with(['*', '?', '{'])) else {
            break;
        };
        start.push(plain);
    }
    start
}

/// The character that the next one, or what it escapes, stands for; nothing where it is more than
/// that. `\<` and `\>` are the ends of a word.
fn plain(next: char, rest: &mut Chars<'_>) -> Option<char> {
    match next {
        '\\' => rest.next().filter(|one| one.is_ascii_punctuation() && !"<>".contains(*one)),
        '.' | '[' | ']' | '(' | ')' | '*' | '+' | '?' | '{' | '}' | '|' | '^' | '$' => None,
        plain => Some(plain),
    }
}

/// The path below which it matches every one, and the path itself, if it says just that.
fn below(expression: &str) -> Option<String> {
    literal(expression.strip_suffix(BELOW)?)
}

/// Whether it is an expression that can be compiled.
pub(super) fn is_valid(expression: &str) -> bool {
    literal(expression).is_some()
        || below(expression).is_some()
        || regex::Regex::new(expression).is_ok()
}

/// Whether it matches all of a text. One that cannot be compiled, or takes too much memory,
/// matches nothing.
pub fn matches(expression: &str, text: &str) -> bool {
    if let Some(known) = literal(expression) {
        return known == text;
    }
    if let (Some(known), false) = (below(expression), text.contains('\n')) {
        let rest = text.strip_prefix(&*known);
        return rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    }
    let whole = format!("^(?:{expression})$");
    let built = regex::RegexBuilder::new(&whole).size_limit(MOST).build();
    built.is_ok_and(|built| built.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_what_an_engine_says_it_is() {
        let expressions = [
            "/api",
            r"/v1\.0",
            r"/a\-b",
            "/api([/?].*)?",
            r"/a\.b([/?].*)?",
            "a|b",
            r"\d",
            "(",
            "",
            "é",
            r"\<a",
        ];
        let texts = [
            "/api", "/api/v1", "/apix", "/api?x", "/v1.0", "/v1x0", "/a-b", "/a.b/", "a", "b", "7",
            "d", "", "é",
        ];
        for expression in expressions {
            let compiled = regex::Regex::new(&format!("^(?:{expression})$"));
            assert_eq!(is_valid(expression), compiled.is_ok(), "{expression}");
            for text in texts {
                let expected = compiled.as_ref().is_ok_and(|known| known.is_match(text));
                assert_eq!(matches(expression, text), expected, "{expression} {text}");
            }
        }
    }

    #[test]
    fn what_need_not_be_there_is_no_start() {
        let cases = [
            ("/api/.*", "/api/"),
            (r"/v1\.0/[a-z]+", "/v1.0/"),
            ("/ab?", "/a"),
            ("/ab*", "/a"),
            ("/ab{0,1}", "/a"),
            ("/ab+", "/ab"),
            (r"/a\<b", "/a"),
            ("/a|/b", ""),
        ];
        for (expression, text) in cases {
            assert_eq!(start(expression), text, "{expression}");
        }
    }

    #[test]
    fn an_escape_of_a_letter_is_no_text() {
        assert_eq!(literal(r"/v1\.0").as_deref(), Some("/v1.0"));
        for expression in [r"\d", r"\", "a+", r"\é"] {
            assert_eq!(literal(expression), None, "{expression}");
        }
    }
}
