//! What a report looks like in every format: `fixtures/report/`.

use std::borrow::Cow;

use landbridge::diagnostic::acceptance::{Acceptance, Acceptances, Scope};
use landbridge::diagnostic::{Diagnostic, Diagnostics, MAX_KEPT, Rule, Severity};
use landbridge::report::{Format, Look, Report};
use landbridge::source::{SourceId, SourceMap, Span};
use landbridge::system::Date;
use serde_json::Value;

use crate::golden;

static OVERLAP: Rule = Rule {
    code: Cow::Borrowed("LB1001"),
    name: Cow::Borrowed("overlapping-cidr"),
    summary: Cow::Borrowed("ranges that meet"),
    severity: Severity::Error,
    doc: Cow::Borrowed("A page."),
};

static FLOATING: Rule = Rule {
    code: Cow::Borrowed("LB3001"),
    name: Cow::Borrowed("floating-version"),
    summary: Cow::Borrowed("a version that floats"),
    severity: Severity::Warning,
    doc: Cow::Borrowed("A page."),
};

const EAST: &str = "\
# The cluster in the east.
podCIDRs:
  - 10.1.0.0/16
serviceCIDRs: [10.96.0.0/16]
versions:
  cilium: latest
";
const WEST: &str = "podCIDRs:\n  - 10.1.0.0/17 # größer\n";

fn place(sources: &SourceMap, id: SourceId, text: &str) -> Span {
    let start = sources.get(id).text().find(text).expect("the text is there");
    Span::new(id, start..start + text.len())
}

fn sample() -> (SourceMap, Diagnostics) {
    let mut sources = SourceMap::new();
    let east = sources.add("clusters/east.yaml", EAST);
    let west = sources.add("clusters/west.yaml", WEST);
    let at = |id, text| place(&sources, id, text);
    let mut found = Diagnostics::new();
    found.accept(Acceptances::new(vec![acceptance(at(east, "10.96.0.0/16"))], day("2026-12-01")));
    found.accept_errors();
    found.push(
        Diagnostic::new(&OVERLAP, at(east, "10.96.0.0/16"), "`10.96.0.0/16` is there twice")
            .related(at(east, "10.1.0.0/16"), "pods of `east`"),
    );
    found.push(
        Diagnostic::new(&FLOATING, at(east, "latest"), "`latest` is not an exact version")
            .help("write an exact version, such as `1.19.6`"),
    );
    found.push(
        Diagnostic::new(&OVERLAP, at(west, "10.1.0.0/17"), "`10.1.0.0/17` lies in `10.1.0.0/16`")
            .label("pods of `west`")
            .related(at(east, "10.1.0.0/16"), "pods of `east`")
            .note("pods of both clusters could have the same address")
            .help("give each cluster a range of its own"),
    );
    found.not_checked(
        at(east, "serviceCIDRs"),
        "the services of `east`",
        "`${RANGE}` is not known",
    );
    (sources, found)
}

/// That overlaps at a place are accepted.
fn acceptance(place: Span) -> Acceptance {
    Acceptance {
        code: "LB1001".to_owned(),
        place,
        scope: Scope::Part(place),
        reason: "the same range in every cluster".into(),
        owner: Some("platform".into()),
        until: Some(day("2027-01-31")),
    }
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn written(format: Format, look: Look) -> String {
    let (sources, found) = sample();
    let mut out = Vec::new();
    format.write(&Report::new(found, &sources), look, &mut out).expect("memory takes bytes");
    String::from_utf8(out).expect("a report is UTF-8")
}

#[test]
fn human() {
    golden::holds("fixtures/report/sample.txt", &written(Format::Human, Look::default()));
}

#[test]
fn what_is_accepted_is_shown_where_everything_is() {
    let text = written(Format::Human, Look { all: true, ..Look::default() });
    golden::holds("fixtures/report/all.txt", &text);
}

#[test]
fn human_in_colour_says_the_same() {
    let colored = written(Format::Human, Look { color: true, ..Look::default() });
    let plain = written(Format::Human, Look::default());
    assert!(colored.contains("\u{1b}["));
    let stripped = anstream::adapter::strip_str(&colored).to_string();
    assert_eq!(stripped, plain);
}

#[test]
fn json() {
    let text = written(Format::Json, Look::default());
    golden::holds("fixtures/report/sample.json", &text);
    let report = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(violations(&report), Vec::<String>::new());
}

#[test]
fn what_is_not_listed_is_counted_in_every_format() {
    let mut sources = SourceMap::new();
    let id = sources.add("a.yaml", "a: 1\n");
    let mut found = Diagnostics::new();
    for number in 0..MAX_KEPT + 7 {
        found.push(Diagnostic::new(&OVERLAP, Span::start_of(id), format!("wrong {number}")));
    }
    let report = Report::new(found, &sources);
    let text = |format: Format| {
        let mut out = Vec::new();
        let look = Look { all: true, ..Look::default() };
        format.write(&report, look, &mut out).expect("memory takes bytes");
        String::from_utf8(out).expect("a report is UTF-8")
    };
    let human = text(Format::Human);
    assert!(human.contains("\n… and 7 more of LB1001 (overlapping-cidr)\n"));
    assert!(human.contains("\n10007 errors in 1 file\n"));
    let json = serde_json::from_str(&text(Format::Json)).expect("it is JSON");
    assert_eq!(violations(&json), Vec::<String>::new());
    assert_eq!(json["omitted"][0]["count"], 7);
    assert_eq!(json["summary"]["errors"], MAX_KEPT + 7);
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let text = written(Format::Json, Look::default());
    let mut report: Value = serde_json::from_str(&text).expect("it is JSON");
    report["findings"][0]["place"]["start"]["line"] = 0.into();
    report["more"] = true.into();
    assert_eq!(violations(&report).len(), 2);
}

/// Where `report` breaks the published schema.
pub(crate) fn violations(report: &Value) -> Vec<String> {
    let schema = serde_json::from_str(landbridge::report::json::SCHEMA).expect("it is JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("it is a schema");
    schema.iter_errors(report).map(|error| error.to_string()).collect()
}
