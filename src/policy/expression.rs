//! The expressions that HTTP rules compare methods and paths with.
//!
//! They match the whole value (`getHTTPRule` in Cilium's `pkg/envoy`). Most are plain text or all
//! paths below one, for which no expression has to be compiled.

/// How compile and people write everything below a path: its end, or an element or a query more.
const BELOW: &str = "([/?].*)?";

/// Most bytes that a compiled expression may take.
const MOST: usize = 1 << 20;

/// The text that an expression matches, if it is only one.
pub fn literal(expression: &str) -> Option<String> {
    let mut text = String::with_capacity(expression.len());
    let mut chars = expression.chars();
    while let Some(next) = chars.next() {
        match next {
            // `\<` and `\>` are the ends of a word.
            '\\' => match chars.next()? {
                plain if plain.is_ascii_punctuation() && !"<>".contains(plain) => text.push(plain),
                _ => return None,
            },
            '.' | '[' | ']' | '(' | ')' | '*' | '+' | '?' | '{' | '}' | '|' | '^' | '$' => {
                return None;
            }
            plain => text.push(plain),
        }
    }
    Some(text)
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
    fn an_escape_of_a_letter_is_no_text() {
        assert_eq!(literal(r"/v1\.0").as_deref(), Some("/v1.0"));
        for expression in [r"\d", r"\", "a+", r"\é"] {
            assert_eq!(literal(expression), None, "{expression}");
        }
    }
}
