//! Text that is hard to read.

use std::fmt::Write as _;

use super::attack::{Attack, PROJECT};

#[test]
fn the_project_itself_is_harmless() {
    Attack::new().is_harmless();
}

#[test]
fn aliases_do_not_multiply() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..30 {
        let before = vec![format!("*a{}", n - 1); 10].join(", ");
        let _ = writeln!(bomb, "a{n}: &a{n} [{before}]");
    }
    Attack::and(&bomb).is_refused("landbridge.yaml:55:", "the aliases expand to more than");
    // Long texts under few nodes.
    let long = "x".repeat(1_000_000);
    let copies = vec!["*long"; 100_000].join(", ");
    let more = format!("long: &long \"{long}\"\ncopies: [{copies}]\n");
    Attack::and(&more).is_refused("landbridge.yaml", "the aliases expand to more than");
    // Merges of merges.
    let mut merges = "m0: &m0 {a: 1}\n".to_owned();
    for n in 1..5_000 {
        let _ = writeln!(merges, "m{n}: &m{n} {{<<: *m{}, k{n}: 1}}", n - 1);
    }
    Attack::and(&merges).is_refused("landbridge.yaml", "the aliases nest");
}

#[test]
fn tags_do_not_multiply() {
    let prefix = "x".repeat(1_000_000);
    let tagged = vec!["!e!a b"; 200_000].join(", ");
    let attack = Attack::new();
    attack.put("landbridge.yaml", format!("%TAG !e! tag:{prefix}\n---\na: [{tagged}]\n"));
    attack.is_refused("landbridge.yaml:", "error");
}

#[test]
fn nesting_has_an_end() {
    let block = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<Vec<_>>();
    for (deep, line) in [
        ("[".repeat(100_000), 51),
        ("{a: ".repeat(100_000), 51),
        ("- ".repeat(100_000), 51),
        ("? ".repeat(100_000), 51),
        (block.concat(), 51),
        (format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), 51),
        ("!a ".repeat(100_000), 51),
        ("&a ".repeat(100_000), 51),
    ] {
        let project = format!("{PROJECT}---\n{deep}\n");
        let first = PROJECT.lines().count() + 2;
        assert!(line <= first + 300);
        let attack = Attack::new();
        attack.put("landbridge.yaml", project);
        attack.is_refused("landbridge.yaml:", "the YAML cannot be read");
    }
}

#[test]
fn long_scalars_are_bounded() {
    let attack = Attack::new();
    attack.put("landbridge.yaml", format!("a: {}\n", "x".repeat(100 * 1024 * 1024)));
    attack.is_refused("landbridge.yaml:1:1", "larger than 32 MiB");
    let long = "x".repeat(8 * 1024 * 1024);
    for (good, bad) in [
        ("region: us-east-1", format!("region: {long}")),
        ("region: us-east-1", format!("{long}: us-east-1")),
        ("kind: Topology", format!("kind: {long}")),
        ("metadata: {name: use1}", format!("metadata: {{name: {long}}}")),
        ("provider: aws", format!("provider: {long}")),
        ("100.64.0.0/16", long.clone()),
        ("from: [web]", format!("from: [{long}]")),
        ("cilium: 1.19.6", format!("cilium: \"{long}\"")),
        ("include: []", format!("include: [{long}]")),
        ("include: []", format!("include: [\"*{long}\"]")),
        ("port: 80", format!("port: {}", "1".repeat(long.len()))),
        ("port: 80", format!("port: {long}")),
    ] {
        Attack::with(good, &bad).is_refused("landbridge.yaml:", "error");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    for bytes in [&b"a: \xff\xfe\n"[..], b"\xc0\x80", b"\xed\xa0\x80", b"a: \xf5\x80\x80\x80"] {
        let attack = Attack::new();
        attack.put("landbridge.yaml", bytes);
        attack.is_refused("landbridge.yaml:1:", "not UTF-8");
    }
    let utf16: Vec<u8> = PROJECT.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (text, line) in [(utf16, 1), (vec![0; 1_000], 1), (vec![b'\r'; 100_000], 1)] {
        let attack = Attack::new();
        attack.put("landbridge.yaml", text);
        attack.is_refused(&format!("landbridge.yaml:{line}"), "error");
    }
}

#[test]
fn numbers_are_bounded() {
    for number in
        ["99999999999999999999999999", "1e1000", "-1", "0x7fffffffffffffff", "1e-400", ".inf"]
    {
        Attack::with("id: 1\n", &format!("id: {number}\n"))
            .is_refused("landbridge.yaml:22", "error");
        Attack::with("port: 80", &format!("port: {number}"))
            .is_refused("landbridge.yaml:46", "error");
    }
    let values = "ciliumValues: {mtu: 99999999999999999999999999, MTU: 1e1000}";
    Attack::with("id: 1\n", &format!("id: 1\n  {values}\n"))
        .is_refused("landbridge.yaml:23", "error");
    Attack::with("100.64.0.0/16", "100.64.0.0/99999999999")
        .is_refused("landbridge.yaml:24", "error");
}

#[test]
fn a_regular_expression_does_not_explode() {
    for regex in
        ["(a{1000}){1000}", "((a{100}){100}){100}", "\\\\pL{1000}{1000}", &"(".repeat(3_000)]
    {
        let http = format!(
            "flows:\n    x: {{from: [web], to: [{{workload: api}}], ports: [80], http: [{{pathRegex: \"{regex}\"}}]}}"
        );
        Attack::with("flows:", &http).is_refused("landbridge.yaml:48", "regular expression");
    }
}

#[test]
fn acceptances_are_bounded() {
    let comment = "# landbridge: allow(LB2007) why until 2999-01-31\n";
    let attack = Attack::new();
    attack.put("landbridge.yaml", format!("{}{PROJECT}", comment.repeat(100_000)));
    attack.run(&["check"]).says("100000 warnings in 1 file");
    attack.put("landbridge.yaml", format!("{}{PROJECT}", comment.repeat(100_001)));
    attack.is_refused("landbridge.yaml:100001:1", "more than 100000 acceptances");
    let rules = "LB2007,".repeat(200_000);
    for comment in [
        format!("# landbridge: allow({rules}LB2007) why"),
        format!("# landbridge: allow({rules}"),
        format!("# landbridge: allow(LB2007) {}", "until ".repeat(200_000)),
        format!("# landbridge: {}", "x".repeat(2_000_000)),
        format!("# landbridge: allow({}) why", "x".repeat(2_000_000)),
        "# landbridge: ".repeat(200_000),
        "# landbridge: allow(LB2006) \u{202e} until \u{202e}".to_owned(),
        "# landbridge: allow(\u{202e}) why".to_owned(),
    ] {
        let attack = Attack::new();
        attack.put("landbridge.yaml", format!("{comment}\n{PROJECT}"));
        let outcome = attack.run(&["check"]);
        outcome.ends_with(&[1]);
        outcome.says("error[LB0019]");
    }
    let entry = "    - {rule: LB2007, files: [\"**/*a*b*c*d*.yaml\"], reason: why}\n";
    let many = format!("include: []\n  allow:\n{}", entry.repeat(1_001));
    Attack::with("include: []", &many).is_refused("landbridge.yaml:1007:", "more than 1000 globs");
}
