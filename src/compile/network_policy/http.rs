//! HTTP requests as Cilium compares them.
//!
//! Method and path are regular expressions that must match the whole value; the path is what the
//! client sends, its query included. Sources: `getHTTPRule` in Cilium's `pkg/envoy` (a
//! `safe_regex` on `:method` and `:path`) and Envoy's `RegexMatcher`, which matches in full.

use serde_json::{Map, Value};

use crate::compile::metadata::object;
use crate::topology::{HttpMatch, PathMatch};

/// `rules` of an entry of `toPorts`.
pub(super) fn rules(requests: &[HttpMatch]) -> Value {
    let rules: Vec<Value> = requests.iter().map(rule).collect();
    object([("http", rules.into())])
}

fn rule(request: &HttpMatch) -> Value {
    let mut rule = Map::new();
    if let Some(method) = &request.method {
        rule.insert("method".into(), method.as_str().into());
    }
    if let Some(path) = &request.path {
        rule.insert("path".into(), path_regex(path).into());
    }
    rule.into()
}

fn path_regex(path: &PathMatch) -> String {
    match path {
        PathMatch::Exact(path) => literal(path),
        PathMatch::Regex(regex) => regex.clone(),
        // Element by element, as Gateway API's `PathPrefix`: `/api` is no prefix of `/apix`.
        PathMatch::Prefix(prefix) => match prefix.trim_end_matches('/') {
            "" => "/.*".to_owned(),
            prefix => format!("{}([/?].*)?", literal(prefix)),
        },
    }
}

/// A regular expression that matches `text` only. In POSIX's extended syntax only these
/// characters are special, and escaping others is undefined.
fn literal(text: &str) -> String {
    let mut regex = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if r".[\()*+?{|^$]}".contains(c) {
            regex.push('\\');
        }
        regex.push(c);
    }
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(path: &PathMatch, sent: &str) -> bool {
        let whole = format!("^(?:{})$", path_regex(path));
        regex::Regex::new(&whole).expect("the expression is valid").is_match(sent)
    }

    #[test]
    fn an_exact_path_is_taken_literally() {
        let path = PathMatch::Exact("/v1.0/a+b/(c)[d]{e}|$^*?\\".into());
        assert!(matches(&path, "/v1.0/a+b/(c)[d]{e}|$^*?\\"));
        assert!(!matches(&path, "/v1x0/a+b/(c)[d]{e}|$^*?\\"));
        assert!(!matches(&PathMatch::Exact("/metrics".into()), "/metrics/"));
    }

    #[test]
    fn a_prefix_ends_at_an_element() {
        for prefix in ["/api", "/api/"] {
            let path = PathMatch::Prefix(prefix.into());
            for inside in ["/api", "/api/", "/api/v1", "/api?page=2", "/api/v1?page=2"] {
                assert!(matches(&path, inside), "{prefix} {inside}");
            }
            for outside in ["/apix", "/ap", "/", "/v1/api", ""] {
                assert!(!matches(&path, outside), "{prefix} {outside}");
            }
        }
        let all = PathMatch::Prefix("/".into());
        assert!(matches(&all, "/") && matches(&all, "/a/b?c"));
    }

    #[test]
    fn a_request_limits_only_what_it_names() {
        let path = Some(PathMatch::Regex("/v[0-9]+/.*".into()));
        let written = rules(&[
            HttpMatch { method: Some("GET".into()), path },
            HttpMatch { method: None, path: None },
        ]);
        let expected = serde_json::json!({"http": [{"method": "GET", "path": "/v[0-9]+/.*"}, {}]});
        assert_eq!(written, expected);
    }
}
