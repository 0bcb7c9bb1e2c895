//! What expressions mean, what is wrong with them, and what they may cost.

use serde_json::{Value as Json, json};

use super::*;

const STEPS: u64 = 1_000_000;

fn names(names: &[&str]) -> Names {
    let variables = names.iter().map(|name| (*name).to_owned()).collect();
    Names { variables, ..Names::default() }
}

fn eval(text: &str, cluster: &Json) -> Result<String, String> {
    let names = names(&["cluster"]);
    let shown = |flaw: Flaw| format!("{}: {}", &text[flaw.at.clone()], flaw.message);
    let program = Program::compile(text, &names).map_err(shown)?;
    let mut environment = Environment::default();
    environment.push(Value::from(cluster));
    let value = environment.evaluate(&program, &mut Meter::new(STEPS)).map_err(shown)?;
    Ok(format!("{}:{value}", value.kind()))
}

fn check(rows: &[(&str, &str)]) {
    let cluster = json!({
        "name": "use1", "replicas": 2, "load": 0.5, "labels": {"b": "1", "a": "2"},
        "podCIDRs": ["10.0.0.0/16", "fd00::/48"], "none": null, "empty": [],
        "ports": [{"port": 80, "name": "http"}, {"port": 443}],
    });
    for (text, expected) in rows {
        let got = eval(text, &cluster).unwrap_or_else(|error| error);
        assert_eq!(got, *expected, "{text}");
    }
}

#[test]
fn operators_mean_what_cel_says() {
    check(
        &[
            ("1 + 2 * 3", "int:7"),
            ("-7 / 2", "int:-3"),
            ("-7 % 2", "int:-1"),
            ("7u + 1u", "uint:8"),
            ("1.5 + 1.5", "double:3"),
            ("1 == 1.0 && 1u == 1", "bool:true"),
            ("1 < 1.5 && 2u > 1.5", "bool:true"),
            ("'a' + \"b\"", "string:ab"),
            ("[1] + [2, 3]", "list:1, 2, 3"),
            ("[1, 2] == [1.0, 2u]", "bool:true"),
            ("{'a': 1} == {'a': 1.0}", "bool:true"),
            ("'1' == 1", "bool:false"),
            ("cluster.none == null", "bool:true"),
            ("true ? 'yes' : 1 / 0", "string:yes"),
            ("2 in [1, 2] && 'a' in cluster.labels && !('z' in cluster.labels)", "bool:true"),
            ("cluster.labels['a'] + cluster.ports[1]['port'].matches('4')", "matches: expected"),
        ][..15],
    );
}

#[test]
fn one_side_that_decides_makes_an_error_harmless() {
    check(&[
        ("1 / 0 == 1 || true", "bool:true"),
        ("1 / 0 == 1 && false", "bool:false"),
        ("1 / 0 == 1 || false", "/: a number is divided by zero"),
        ("[0, 1].exists(x, 1 / x == 1)", "bool:true"),
        ("[0, 2].all(x, 1 / x == 1)", "bool:false"),
        ("[0, 1].all(x, 1 / x == 1)", "/: a number is divided by zero"),
        ("[0, 1].exists_one(x, 1 / x == 1)", "/: a number is divided by zero"),
    ]);
}

#[test]
fn macros_go_through_lists_and_keys() {
    check(&[
        ("cluster.ports.all(p, p.port > 0) && !cluster.ports.all(p, has(p.name))", "bool:true"),
        ("cluster.ports.filter(p, has(p.name)).map(p, p.name)", "list:http"),
        ("cluster.ports.map(p, p.port > 80, p.port)", "list:443"),
        ("cluster.ports.exists_one(p, p.port == 80)", "bool:true"),
        ("cluster.labels.map(key, key + cluster.labels[key])", "list:b1, a2"),
        ("{'z': 1, 'y': 2}.map(key, key)", "list:y, z"),
        ("[1, 2].map(x, [3].map(x, x * 2) + [x])", "list:6, 1, 6, 2"),
        ("cluster.empty.all(x, false) && !cluster.empty.exists(x, true)", "bool:true"),
        ("has(cluster.name) && !has(cluster.region)", "bool:true"),
    ]);
}

#[test]
fn functions_give_what_their_line_says() {
    check(&[
        ("'é1'.size() + size([1]) + size({})", "int:3"),
        ("'a,b'.split(',').join('+') + [].join()", "string:a+b"),
        ("' Ab '.trim().lowerAscii() + 'x'.upperAscii()", "string:abX"),
        ("'banana'.replace('an', 'o')", "string:booa"),
        ("'éab'.substring(1) + 'éab'.substring(0, 1)", "string:abé"),
        ("'éab'.indexOf('b') + 'a'.indexOf('b')", "int:1"),
        ("'use1'.startsWith('us') && 'use1'.endsWith('1') && 'use1'.contains('se')", "bool:true"),
        ("'use1'.matches('^[a-z]+[0-9]$') && !'use1'.matches('^' + 'x')", "bool:true"),
        ("[3, 1, 2].min() + [3, 1, 2].max() + [1, 2].sum()", "int:7"),
        ("[1, 2, 1.0, 'a', 'a'].distinct()", "list:1, 2, a"),
        ("int('7') + int(7.9) + int(1u)", "int:15"),
        ("string(7) + string(true) + string(double('0.5'))", "string:7true0.5"),
        ("cidr('10.0.0.0/8').containsCIDR(cluster.podCIDRs[0])", "bool:true"),
        ("cidr('10.0.0.0/8').containsIP('11.0.0.1')", "bool:false"),
        ("cluster.podCIDRs.map(c, cidr(c).prefixLength())", "list:16, 48"),
        ("isIP('::1') && isCIDR('10.0.0.0/8') && !isIP('x')", "bool:true"),
        ("dyn(1) == 1", "bool:true"),
    ]);
}

#[test]
fn every_function_is_called_as_its_line_says() {
    for function in FUNCTIONS {
        let dot = function
            .signature
            .find('.')
            .is_some_and(|dot| function.signature.find('(').is_some_and(|open| dot < open));
        assert_eq!(dot, function.member, "{function:?}");
        let commas = function.signature.matches(',').count();
        let inside = usize::from(!function.signature.contains("()")) + commas;
        assert_eq!(inside + usize::from(function.member), function.arguments, "{function:?}");
        assert!(function.signature.contains(function.name), "{function:?}");
    }
}

#[test]
fn flaws_are_placed() {
    check(&[
        ("clutser.name", "clutser: there is no variable `clutser`; is `cluster` meant?"),
        ("zone", "zone: there is no variable `zone`; there are `cluster`"),
        ("cluster.nmae", "nmae: there is no key `nmae`; is `name` meant?"),
        ("'é' == cluster.nmae", "nmae: there is no key `nmae`; is `name` meant?"),
        ("cluster.name.frist", "frist: a string has no field `frist`"),
        (
            "cluster.name.contians('x')",
            "contians: there is no function `contians`; is `contains` meant?",
        ),
        ("size()", "size: `size` is called as `x.size()` or `size(x)`"),
        ("cluster.name > 1", ">: `>` is not for a string and an int"),
        ("'a'.matches('(')", "'(': the regular expression is wrong: unclosed group"),
        (
            "'a'.matches('(a{1000}){1000}')",
            "'(a{1000}){1000}': the regular expression is too large",
        ),
        ("cluster.ports[2]", "[: the list has 2 items, there is none at 2"),
        ("9223372036854775807 + 1", "+: the number is too large"),
        ("{'a': 1, 'a': 2}", "'a': the key stands there twice"),
        ("b'x'", "b'x': there are no bytes here; write text"),
        ("x{y: 1}", "{: there are no message types here; write a map"),
        ("cluster.name &", "&: token recognition error at: '&'"),
        ("1 2", "2: extraneous input '2'"),
        ("", ": the expression is empty"),
        ("'a' ? 1 : 2", "'a': expected true or false, found a string"),
    ]);
}

#[test]
fn what_is_too_large_is_refused() {
    let long = format!("'{}'", "x".repeat(MAX_LENGTH));
    let deep = format!("{}1{}", "[".repeat(80), "]".repeat(80));
    let deeper = format!("{}1{}", "(".repeat(1_000), ")".repeat(1_000));
    let row = vec!["1"; 2_000].join("+");
    let fields = format!("cluster{}", ".a".repeat(1_500));
    for text in [long, deep, deeper, row, fields] {
        let error = eval(&text, &Json::Null).unwrap_err();
        assert!(error.contains("longer than") || error.contains("nested"), "{error}");
    }
}

#[test]
fn what_explodes_runs_out_of_steps() {
    let list = "[0,1,2,3,4,5,6,7,8,9]";
    let nested = format!(
        "{list}.map(a, {list}.map(b, {list}.map(c, {list}.map(d, {list}.map(e, {list}.map(f, 1))))))"
    );
    let doubled = format!("['x']{}", ".map(s, s + s)".repeat(40));
    let wide = format!("[[1]]{}", ".map(s, s + s)".repeat(40));
    let copied = format!("['x']{}.map(s, s.size())", ".map(s, [s, s])".repeat(30));
    let compared = format!("[['x']{0}] == [['x']{0}]", ".map(s, [s, s])".repeat(30));
    let absorbed = format!(
        "{list}.all(a, {list}.all(b, {list}.all(c, {list}.all(d, {list}.all(e, {list}.all(f, {list}.all(g, true)))))))"
    );
    let regexes = format!(
        "{list}.all(a, {list}.all(b, {list}.all(c, 'x'.matches('x' + string(a)) || true)))"
    );
    for text in [nested, doubled, wide, compared, absorbed, regexes] {
        let program = Program::compile(&text, &Names::default()).unwrap();
        let flaw = Environment::default().evaluate(&program, &mut Meter::new(STEPS)).unwrap_err();
        assert!(flaw.exhausted, "{text}: {flaw:?}");
    }
    // What is there twice is kept once.
    assert_eq!(eval(&copied, &Json::Null).unwrap(), "list:2");
}

#[test]
fn variables_are_evaluated_when_they_are_read() {
    let known = names(&["cluster", "variables.broken", "variables.size"]);
    let broken = Program::compile("1 / 0", &names(&["cluster"])).unwrap();
    let size = Program::compile("cluster.size()", &names(&["cluster"])).unwrap();
    let text = "variables.size == 2 || variables.broken == 1";
    let program = Program::compile(text, &known).unwrap();
    let cluster = json!(["a", "b"]);
    let mut environment = Environment::default();
    environment.push(Value::from(&cluster));
    environment.push_lazy(&broken);
    environment.push_lazy(&size);
    let value = environment.evaluate(&program, &mut Meter::new(STEPS)).unwrap();
    assert!(matches!(value, Value::Bool(true)));
    let program = Program::compile("variables.broken == 1", &known).unwrap();
    let flaw = environment.evaluate(&program, &mut Meter::new(STEPS)).unwrap_err();
    assert_eq!(flaw.message, "a number is divided by zero");
    let flaw = Program::compile("variables.sise", &known).unwrap_err();
    assert_eq!(flaw.message, "there is no variable `variables.sise`; is `variables.size` meant?");
}

#[test]
fn templates_are_filled_in() {
    let known = names(&["cluster"]);
    let cluster = json!({"name": "use1", "ports": [80, 443]});
    let fill = |text: &str| {
        let template = Template::compile(text, &known).map_err(|flaw| flaw.message)?;
        let mut environment = Environment::default();
        environment.push(Value::from(&cluster));
        let (text, flaw) = template.fill(&environment, &mut Meter::new(STEPS));
        Ok::<_, String>((text, flaw.map(|flaw| flaw.message)))
    };
    let filled = fill("`{cluster.name}` has {{{cluster.ports}}}{'}' + {'a': 'b'}['a']}");
    assert_eq!(filled, Ok(("`use1` has {80, 443}}b".to_owned(), None)));
    let (text, flaw) = fill("{cluster.x} of {cluster.name}").unwrap();
    assert_eq!((&*text, &*flaw.unwrap()), ("? of use1", "there is no key `x`"));
    assert!(fill("a } b").unwrap_err().starts_with("a brace is closed"));
    assert!(fill("a { b").unwrap_err().starts_with("the brace is not closed"));
    assert!(fill("{").is_err() && fill("{}").is_err() && fill("{x}").is_err());
    let flaw = Template::compile("é {clster.name}", &known).unwrap_err();
    assert_eq!(flaw.at, 4..10);
}

#[test]
fn it_is_known_what_an_expression_reads() {
    let known = names(&["cluster", "topology"]);
    let text = "topology.clusters.all(c, c.name != cluster.name) && has(topology.mesh)";
    let program = Program::compile(text, &known).unwrap();
    let field = |name: usize, field: &str| (name, field.to_owned());
    let fields = [field(0, "name"), field(1, "clusters"), field(1, "mesh")];
    let expected = Reads { whole: BTreeSet::new(), fields: BTreeSet::from(fields) };
    assert_eq!(*program.reads(), expected);
    let program = Program::compile("size(topology) > 0", &known).unwrap();
    assert_eq!(program.reads().whole, BTreeSet::from([1]));
}

#[test]
fn one_broken_expression_leaves_the_others() {
    let known = names(&["a"]);
    let results = compile_all(&[("a", &known), ("b", &known), ("a.c", &known)]);
    let fine: Vec<_> = results.iter().map(Result::is_ok).collect();
    assert_eq!(fine, [true, false, true]);
}

#[test]
fn a_known_text_is_part_of_the_expression() {
    let mut known = names(&["params"]);
    known.texts.insert("params.pattern".to_owned(), "(".to_owned());
    let flaw = Program::compile("'a'.matches(params.pattern)", &known).unwrap_err();
    assert_eq!(flaw.message, "the regular expression is wrong: unclosed group");
    known.texts.insert("params.pattern".to_owned(), "^a$".to_owned());
    let text = "has(params.pattern) && 'a'.matches(params.pattern)";
    let program = Program::compile(text, &known).unwrap();
    let params = json!({"pattern": "^a$"});
    let mut environment = Environment::default();
    environment.push(Value::from(&params));
    let value = environment.evaluate(&program, &mut Meter::new(STEPS)).unwrap();
    assert!(matches!(value, Value::Bool(true)));
}
