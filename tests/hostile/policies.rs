//! Expressions that mean harm.

use std::fmt::Write as _;

use super::attack::Attack;

/// The small project with a policy of this expression, and more under its `spec`.
fn policy(expression: &str, more: &str) -> Attack {
    let expression = expression.replace('\'', "''");
    Attack::and(&document("mine", &format!("expression: '{expression}'\n{more}")))
}

fn document(name: &str, spec: &str) -> String {
    let spec = spec.lines().flat_map(|line| ["  ", line, "\n"]).collect::<String>();
    format!(
        "apiVersion: landbridge.dev/v1alpha1\nkind: Policy\nmetadata: {{name: {name}}}\nspec:\n  \
         over: cluster\n  message: \"wrong: {{cluster}} {{params}}\"\n{spec}"
    )
}

const DIGITS: &str = "[0,1,2,3,4,5,6,7,8,9]";

/// Goes through `depth` nested lists of ten.
fn nested(fold: &str, depth: usize, inner: &str) -> String {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    names[..depth]
        .iter()
        .fold(inner.to_owned(), |text, name| format!("{DIGITS}.{fold}({name}, {text})"))
}

#[test]
fn what_explodes_is_not_checked() {
    let expressions = [
        nested("all", 12, "true"),
        nested("map", 12, "1") + " == []",
        nested("all", 12, "1 / 0 == 1"),
        nested("exists", 12, "'x'.matches(string(a) + '(a{50}){50}')"),
        format!("['x']{}.size() > 0", ".map(s, s + s)".repeat(200)),
        format!("[['x']]{}.size() > 0", ".map(s, s + s)".repeat(200)),
        format!("[{0}] == [{0}]", format!("['x']{}", ".map(s, [s, s])".repeat(60))),
    ];
    for expression in expressions {
        let attack = policy(&expression, "");
        let outcome = attack.run(&["check"]);
        outcome.ends_with(&[1, 3]);
        let bounded = ["too many steps", "nested", "longer than 4 KiB"];
        assert!(bounded.iter().any(|said| outcome.mentions(said)), "{expression}");
        attack.run(&["rules", "test"]).ends_with(&[1]);
    }
}

#[test]
fn what_cannot_be_parsed_is_refused() {
    for expression in [
        "(".repeat(4_000),
        "[".repeat(4_000),
        "!".repeat(3_999) + "a",
        "a?".repeat(2_000),
        "1+".repeat(2_000) + "1",
        "a".to_owned() + &".a".repeat(1_900),
        "f(".repeat(1_900),
        "'".repeat(4_001),
        "\\u0000\u{1}\u{202e}".repeat(100),
        "x".repeat(10_000),
    ] {
        let attack = policy(&expression, "");
        let outcome = attack.run(&["check"]);
        outcome.ends_with(&[1]);
        assert!(outcome.mentions("LB0021") || outcome.mentions("LB0001"), "{expression}");
    }
    policy("'a'.matches('(a{1000}){1000}')", "").is_refused("landbridge.yaml:", "too large");
}

#[test]
fn many_policies_end() {
    let heavy = nested("all", 9, "true");
    let policies = (0..400).map(|number| {
        let samples = format!("expression: \"{heavy}\"\nsamples:\n  pass: [{{cluster: {{}}}}]\n  fail: [{{cluster: {{}}}}]\n");
        format!("---\n{}", document(&format!("p{number}"), &samples))
    });
    let attack = Attack::and(&policies.collect::<String>());
    let outcome = attack.run(&["check", "-o", "json"]);
    outcome.ends_with(&[3]);
    outcome.says("200 policies more");
}

#[test]
fn variables_do_not_multiply() {
    let mut more = "variables:\n  v0: \"'xxxxxxxxxxxxxxxx'\"\n".to_owned();
    for number in 1..30 {
        let before = format!("variables.v{}", number - 1);
        let _ = writeln!(more, "  v{number}: {before} + {before} + {before} + {before}");
    }
    let attack = policy("variables.v29 == 'x'", &more);
    let outcome = attack.run(&["check"]);
    outcome.ends_with(&[1, 3]);
    assert!(outcome.mentions("too many steps") || outcome.mentions("nested too deeply"));
    // Messages are bounded as well.
    let attack = policy("false && variables.v9 == ''", &more);
    attack.run(&["check"]).ends_with(&[1, 3]);
}

#[test]
fn names_and_texts_are_shown_safely() {
    let more =
        "params: {\"\\e[31m\": \"\\u202e\"}\nbecause: \"\\e[2J\"\nremediation: \"a\\nb\\e\"\n";
    let attack = policy("params.size() == 0", more);
    for args in [&["check"][..], &["rules", "list"], &["rules", "test"], &["explain", "P-mine"]] {
        attack.run(args).ends_with(&[0, 1]);
    }
}
