//! Which acceptance a finding has, against a search that looks at all of them.

use std::borrow::Cow;

use super::super::{Diagnostics, Rule};
use super::*;
use crate::source::SourceMap;

static RULES: [Rule; 2] = [rule("LB9001", Severity::Warning), rule("LB9002", Severity::Error)];

const fn rule(code: &'static str, severity: Severity) -> Rule {
    let (name, summary) = (Cow::Borrowed("sample"), Cow::Borrowed("a sample"));
    Rule { code: Cow::Borrowed(code), name, summary, severity, doc: Cow::Borrowed("A page.") }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

const TODAY: &str = "2026-12-01";

fn acceptance(rule: usize, scope: Scope, until: Option<&str>) -> Acceptance {
    let code = RULES[rule].code.to_string();
    let place = Span::default();
    Acceptance { code, place, scope, reason: "why".into(), owner: None, until: until.map(day) }
}

fn accepting(list: Vec<Acceptance>) -> Diagnostics {
    let mut found = Diagnostics::new();
    found.accept(Acceptances::new(list, day(TODAY)));
    found.accept_errors();
    found
}

fn finding(rule: usize, file: SourceId, at: usize) -> Diagnostic {
    Diagnostic::new(&RULES[rule], Span::new(file, at..at + 1), format!("wrong at {at}"))
}

fn files() -> Vec<SourceId> {
    let mut sources = SourceMap::new();
    (0..3).map(|number| sources.add(format!("{number}.yaml"), "x".repeat(100))).collect()
}

/// What every acceptance is about, one after the other.
fn is_about(one: &Acceptance, finding: &Diagnostic) -> bool {
    let span = finding.primary.span;
    let here = match &one.scope {
        Scope::Part(part) => {
            part.source == span.source && part.start <= span.start && span.start <= part.end
        }
        Scope::Files(files) => files.contains(&span.source),
        Scope::Everywhere => true,
        Scope::Nothing => false,
    };
    here && one.code == finding.rule.code && one.until.is_none_or(|until| until >= day(TODAY))
}

#[test]
fn an_accepted_finding_never_hides_another() {
    let files = files();
    let mut seed = 7_u64;
    let mut dice = |end: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % end
    };
    for _ in 0..2_000 {
        let mut list = Vec::new();
        for _ in 0..dice(8) {
            let start = dice(100);
            let scope = match dice(12) {
                0 => Scope::Everywhere,
                1 => Scope::Nothing,
                2 => Scope::Files(vec![files[dice(3)]]),
                _ => Scope::Part(Span::new(files[dice(3)], start..start + dice(40))),
            };
            let until = [None, Some("2026-11-30"), Some(TODAY), Some("2027-01-01")][dice(4)];
            list.push(acceptance(dice(2), scope, until));
        }
        let mut found = accepting(list.clone());
        let (mut open, mut accepted) = (Vec::new(), Vec::new());
        let mut part = found.beside();
        for _ in 0..40 {
            let one = finding(dice(2), files[dice(3)], dice(100));
            let about = list.iter().any(|acceptance| is_about(acceptance, &one));
            let said = (one.rule.code.clone(), one.primary.span);
            if about {
                accepted.push(said);
            } else {
                open.push(said);
            }
            let sink = if dice(2) == 0 { &mut found } else { &mut part };
            sink.push(one);
        }
        found.extend(part);
        let say = |one: &Diagnostic| (one.rule.code.clone(), one.primary.span);
        let mut left: Vec<_> = found.iter().map(say).collect();
        let mut gone: Vec<_> = found.accepted().map(|(one, _)| say(one)).collect();
        assert!(found.accepted().all(|(one, by)| is_about(by, one)));
        for all in [&mut left, &mut gone, &mut open, &mut accepted] {
            all.sort();
        }
        assert_eq!((left, gone), (open, accepted), "{list:#?}");
    }
}

#[test]
fn the_last_day_counts() {
    let file = files()[0];
    for (until, accepted) in [(TODAY, 1), ("2026-11-30", 0)] {
        let mut found = accepting(vec![acceptance(0, Scope::Everywhere, Some(until))]);
        found.push(finding(0, file, 3));
        assert_eq!(found.accepted().count(), accepted, "{until}");
        let related: Vec<_> = found.iter().flat_map(|one| &one.related).collect();
        let texts: Vec<_> = related.iter().map(|label| label.text.as_str()).collect();
        assert_eq!(texts.is_empty(), accepted == 1, "{texts:?}");
        found.judge_acceptances(&|_| true);
        let codes: Vec<_> = found.iter().map(|one| one.rule.code.to_string()).collect();
        let expected: &[&str] = if accepted == 1 { &[] } else { &["LB9001", "LB0020"] };
        assert_eq!(codes, expected);
    }
}

#[test]
fn the_nearest_is_the_one_that_is_needed() {
    let file = files()[0];
    let scopes = [
        Scope::Everywhere,
        Scope::Files(vec![file]),
        Scope::Part(Span::new(file, 0..50)),
        Scope::Part(Span::new(file, 10..20)),
    ];
    let mut found =
        accepting(scopes.iter().map(|scope| acceptance(0, scope.clone(), None)).collect());
    found.push(finding(0, file, 15));
    found.push(finding(0, file, 30));
    let by: Vec<_> = found.accepted().map(|(_, by)| by.scope.clone()).collect();
    assert_eq!(by, [scopes[3].clone(), scopes[2].clone()]);
    found.judge_acceptances(&|_| true);
    assert_eq!(found.iter().filter(|one| one.rule.code == "LB0024").count(), 2);
}

#[test]
fn whether_one_is_needed_is_not_judged_where_its_rule_was_not_run() {
    let mut found = accepting(vec![acceptance(0, Scope::Everywhere, None)]);
    found.judge_acceptances(&|code| code != "LB9001");
    assert_eq!(found.len(), 0);
    found.judge_acceptances(&|_| true);
    assert_eq!(found.len(), 1);
}

#[test]
fn an_error_of_the_first_phases_is_not_accepted() {
    let file = files()[0];
    let mut found = Diagnostics::new();
    found.push(finding(0, file, 1));
    found.push(finding(1, file, 2));
    let list = vec![acceptance(0, Scope::Everywhere, None), acceptance(1, Scope::Everywhere, None)];
    found.accept(Acceptances::new(list, day(TODAY)));
    found.push(finding(1, file, 3));
    assert!(found.has_errors());
    assert_eq!((found.len(), found.accepted().count()), (2, 1));
    found.judge_acceptances(&|_| true);
    let codes: Vec<_> = found.iter().map(|one| one.rule.code.to_string()).collect();
    assert_eq!(codes, ["LB9002", "LB9002", "LB0025"]);
}

#[test]
fn accepted_findings_take_no_place_of_others() {
    let files = files();
    let mut found = accepting(vec![acceptance(0, Scope::Files(vec![files[0]]), None)]);
    let mut part = found.beside();
    for at in 0..2 * MAX_KEPT {
        part.push(finding(0, files[0], at));
    }
    part.push(finding(0, files[1], 5));
    found.extend(part);
    assert_eq!((found.len(), found.omitted().count()), (1, 0));
    assert_eq!((found.accepted().count(), found.accepted_omitted()), (MAX_KEPT, MAX_KEPT));
}

#[test]
fn many_acceptances_take_near_linear_time() {
    let file = files()[0];
    let part = |at: usize| Scope::Part(Span::new(file, at..1_000_000));
    let list = (0..MAX_ACCEPTANCES).map(|at| acceptance(0, part(at / 2), None)).collect();
    let mut found = accepting(list);
    for at in 0..200_000 {
        found.push(finding(0, file, at));
    }
    assert_eq!(found.len(), 0);
}
