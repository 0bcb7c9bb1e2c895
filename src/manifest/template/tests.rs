use std::collections::BTreeSet;

use super::{Problem, expand, first_name};

const VALUES: &[(&str, &str)] = &[
    ("A", "abcABCabc"),
    ("PATH_", "/srv/data/cert.tar.gz"),
    ("N", "2"),
    ("EMPTY", ""),
    ("E", "é"),
    ("LONG", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
];

fn value(name: &str) -> Option<&'static str> {
    VALUES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

fn expanded(text: &str) -> Result<String, Problem> {
    expand(text, &value, &mut 100_000)
}

#[test]
fn forms_give_what_flux_gives() {
    for (text, expected) in [
        ("plain, $A and $ stay", "plain, $A and $ stay"),
        ("x${A}y", "xabcABCabcy"),
        ("${EMPTY}", ""),
        ("$${A} $$ $$$${A}", "${A} $ $${A}"),
        ("$$${A}", "$abcABCabc"),
        ("${A:=other}", "abcABCabc"),
        ("${X:=other}", "other"),
        ("${X=other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${X:-}", ""),
        ("${X:-a b: c/#%}", "a b: c/#%"),
        ("${X:-$$}", "$$"),
        ("${X:=a${N}b${N}}", "a2b2"),
        ("${X:=${EMPTY:=${N}}}", "2"),
        // Unlike in bash, what stands after `+` is a default too.
        ("${X:+other} ${A:+other} ${X:?other}", "other abcABCabc other"),
        ("${#A} ${#E} ${#EMPTY}", "9 2 0"),
        ("${A^} ${A^^} ${A,} ${A,,}", "AbcABCabc ABCABCABC abcABCabc abcabcabc"),
        ("${A^,}", "abcABCabc"),
        ("${E^^}", "É"),
        ("${A:3}", "ABCabc"),
        ("${A:3:2}", "AB"),
        ("${A:${N}:${N}}", "cA"),
        ("${A:-2}", "abcABCabc"),
        ("${A: -2}", "abcABCabc"),
        ("${A:7:99} ${A:99} ${A:99:1}", "bc  "),
        ("${A:x} ${A:1:x}", "abcABCabc abcABCabc"),
        ("${A/bc/-}", "a-ABCabc"),
        ("${A//bc/-}", "a-ABCa-"),
        ("${A/bc/}", "aABCabc"),
        ("${A/#abc/X} ${A/#bc/X}", "XABCabc abcABCabc"),
        ("${A/%abc/X} ${A/%ab/X}", "abcABCX abcABCabc"),
        ("${A/#/X} ${A/%/X}", "XabcABCabc abcABCabcX"),
        ("${A/#abc/}", "abcABCabc"),
        ("${PATH_//\\//-}", "-srv-data-cert.tar.gz"),
        ("${PATH_/data///x}", "/srv/x/cert.tar.gz"),
        ("${PATH_#*/} ${PATH_##*/}", "srv/data/cert.tar.gz cert.tar.gz"),
        ("${PATH_%.*} ${PATH_%%.*}", "/srv/data/cert.tar /srv/data/cert"),
        ("${PATH_%.?z} ${PATH_#x} ${PATH_%%*}", "/srv/data/cert.tar /srv/data/cert.tar.gz "),
    ] {
        assert_eq!(expanded(text), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn what_flux_refuses_is_refused() {
    for text in [
        "${",
        "${}",
        "${A",
        "${A:",
        "${A:=",
        "${A:=x",
        "${A-x}",
        "${A?x}",
        "${A+x}",
        "${A }",
        "${ A}",
        "${A#}",
        "${A%}",
        "${A:}",
        "${A/x}",
        "${A,,,}",
        "${#}",
        "${#A:1}",
        "${${A}}",
        "${A:1${N}}",
        "${A##${}}",
        "${A.b}",
        "${A[0]}",
        "${!A}",
        "${A@Q}",
    ] {
        assert!(matches!(expanded(text), Err(Problem::Refused(_))), "{text}: {:?}", expanded(text));
    }
}

#[test]
fn unknown_variables_are_all_named() {
    let names = |names: &[&str]| {
        Err(Problem::Unknown(names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>()))
    };
    assert_eq!(expanded("${Y} ${A} ${X^^} ${A:=${Z}}"), names(&["X", "Y", "Z"]));
    assert_eq!(expanded("${1}"), names(&["1"]));
}

#[test]
fn what_is_not_worked_out_is_said() {
    for text in ["${A#[a]}", "${A#\\*}", "${E#*}", "${E:1}", "${A:1:-1}"] {
        assert!(matches!(expanded(text), Err(Problem::Unsupported(_))), "{text}");
    }
}

#[test]
fn hostile_texts_end_early() {
    let deep = "${A:=".repeat(1_000_000);
    assert!(matches!(expanded(&deep), Err(Problem::Unsupported(_))));
    assert!(matches!(expanded(&"${".repeat(1_000_000)), Err(Problem::Refused(_))));
    // 64 characters, each replaced by 64, each replaced by 64.
    let product = "${LONG//a/${LONG//a/${LONG}}}";
    assert_eq!(expanded(product), Err(Problem::TooLarge));
    assert_eq!(expanded(&"${LONG}".repeat(10_000)), Err(Problem::TooLarge));
    assert_eq!(expanded(&"${LONG##*a*a*a*a*a*a*a*a*a*b}".repeat(1000)), Err(Problem::TooLarge));
}

#[test]
fn names_are_seen_where_a_person_sees_them() {
    for (text, name) in [
        ("x ${POD_CIDR}", Some("POD_CIDR")),
        ("${#A}", Some("A")),
        ("${} ${A:=b}", Some("A")),
        ("$A $(A) {A} ${ A } ${.A} ${1}", None),
    ] {
        assert_eq!(first_name(text), name, "{text}");
    }
}
