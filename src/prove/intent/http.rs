//! Requests that policies allow, compared with those that flows mean.
//!
//! Method and path of a policy are [expressions](crate::policy::expression). Whether one is within
//! another is decided where one of them is plain text, plain text with anything after it, or the
//! other one itself.

use crate::policy::expression::{self, literal, start};
use crate::policy::rule::Http;
use crate::topology::{HttpMatch, PathMatch};

/// Whether every request that a policy allows is one that a flow means.
pub(super) fn within(allowed: &Http, meant: &HttpMatch) -> bool {
    let method = match (&meant.method, &allowed.method) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(meant), Some(allowed)) => allowed.split('|').all(|one| one == meant),
    };
    let path = match (&meant.path, &allowed.path) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(meant), Some(allowed)) => path_within(allowed, meant),
    };
    method && path
}

fn path_within(allowed: &str, meant: &PathMatch) -> bool {
    match (meant, literal(allowed)) {
        (PathMatch::Exact(path), Some(text)) => text == *path,
        (PathMatch::Regex(regex), Some(text)) => {
            allowed == regex || expression::matches(regex, &text)
        }
        (PathMatch::Regex(regex), None) => allowed == regex,
        (PathMatch::Prefix(prefix), Some(text)) => below(&text, prefix),
        (PathMatch::Exact(_), None) => false,
        (PathMatch::Prefix(prefix), None) => {
            let start =
                ["([/?].*)?", "(/.*)?", "(/|$).*"].iter().find_map(|end| allowed.strip_suffix(end));
            let with_end = || allowed.strip_suffix(".*").or_else(|| allowed.strip_suffix(".+"));
            match start.and_then(literal) {
                Some(start) => below(&start, prefix),
                None => with_end().and_then(literal).is_some_and(|start| {
                    let root = prefix.trim_end_matches('/');
                    start.strip_prefix(root).is_some_and(|rest| rest.starts_with(['/', '?']))
                }),
            }
        }
    }
}

/// Whether a policy may let all of what a flow means through; where that cannot be decided, it may.
pub(super) fn may_let_through(allowed: &Http, meant: &HttpMatch) -> bool {
    let method = match (&allowed.method, &meant.method) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(allowed), Some(meant)) => allowed == meant || expression::matches(allowed, meant),
    };
    let path = match (&allowed.path, &meant.path) {
        (None, _) => true,
        (Some(allowed), None) => allowed == ".*" || allowed == "/.*",
        (Some(allowed), Some(PathMatch::Exact(path))) => expression::matches(allowed, path),
        (Some(allowed), Some(PathMatch::Prefix(prefix))) => {
            let root = prefix.trim_end_matches('/');
            expression::matches(allowed, &format!("{root}/a"))
                && expression::matches(allowed, &format!("{root}/b/c?d"))
        }
        (Some(allowed), Some(PathMatch::Regex(regex))) => {
            let meets = |one: &str, other: &str| one.starts_with(other) || other.starts_with(one);
            match literal(regex) {
                Some(path) => expression::matches(allowed, &path),
                None => meets(&start(allowed), &start(regex)),
            }
        }
    };
    method && path && allowed.host.is_none() && allowed.headers.is_empty()
}

/// Whether every request is allowed.
pub(super) fn is_any(allowed: &Http) -> bool {
    *allowed == Http::default()
}

/// Whether a path is a prefix or below it, element by element.
fn below(path: &str, prefix: &str) -> bool {
    let rest = path.strip_prefix(prefix.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str) -> Http {
        Http { path: Some(path.to_owned()), ..Http::default() }
    }

    fn meant(path: PathMatch) -> HttpMatch {
        HttpMatch { method: None, path: Some(path) }
    }

    #[test]
    fn requests_are_within_others() {
        let prefix = meant(PathMatch::Prefix("/api".into()));
        for inside in ["/api", "/api/v1", "/api([/?].*)?", "/api/v1([/?].*)?", "/api/.*"] {
            assert!(within(&path(inside), &prefix), "{inside}");
        }
        for outside in ["/apix", "/api.*", "/.*", "/", "/a.i"] {
            assert!(!within(&path(outside), &prefix), "{outside}");
        }
        assert!(!within(&Http::default(), &prefix));
        let exact = meant(PathMatch::Exact("/a.b".into()));
        assert!(within(&path(r"/a\.b"), &exact));
        assert!(!within(&path("/a.b"), &exact));
        let get = HttpMatch { method: Some("GET".into()), path: None };
        assert!(within(&Http { method: Some("GET".into()), ..path("/x") }, &get));
        assert!(!within(&Http { method: Some("GET|PUT".into()), ..path("/x") }, &get));
        assert!(!within(&path("/x"), &get));
    }

    #[test]
    fn requests_go_through() {
        let exact = meant(PathMatch::Exact("/metrics".into()));
        assert!(may_let_through(&path("/metrics"), &exact));
        assert!(may_let_through(&path("/m.*"), &exact));
        assert!(!may_let_through(&path("/metric"), &exact));
        assert!(!may_let_through(&path("("), &exact));
        let regex = meant(PathMatch::Regex(r"/users/[0-9]+".into()));
        for open in [r"/users/[0-9]+", "/u.*", ".*", "/users?/1", "/a|/users/1"] {
            assert!(may_let_through(&path(open), &regex), "{open}");
        }
        assert!(!may_let_through(&path(r"/api/v1\.0"), &regex));
        let prefix = meant(PathMatch::Prefix("/api".into()));
        assert!(may_let_through(&path("/api([/?].*)?"), &prefix));
        assert!(!may_let_through(&path("/api/v1"), &prefix));
        let any = HttpMatch { method: None, path: None };
        assert!(!may_let_through(&path("/x"), &any));
        assert!(may_let_through(&Http::default(), &any));
    }
}
