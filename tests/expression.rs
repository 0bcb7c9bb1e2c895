//! Expressions against the evaluator of the crate that parses them, and against noise.

use cel::objects::{Key as TheirKey, Value as Theirs};
use landbridge::expression::{Environment, Key, Meter, Names, Program, Template, Value};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

fn names() -> Names {
    let variables = ["a", "b", "n", "s", "l", "m"].map(str::to_owned).to_vec();
    Names { variables, ..Names::default() }
}

fn input() -> serde_json::Value {
    serde_json::json!([true, false, 3, "use1", [1, 2, 3], {"k": 1, "x": "y"}])
}

/// What our evaluator says; nothing for an error.
fn ours(text: &str) -> Option<String> {
    let program = Program::compile(text, &names()).ok()?;
    let input = input();
    let mut environment = Environment::default();
    for value in input.as_array().expect("a list") {
        environment.push(Value::from(value));
    }
    let value = environment.evaluate(&program, &mut Meter::new(1_000_000)).ok()?;
    Some(show(&value))
}

fn show(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("{value}"),
        Value::Int(value) => format!("{value}"),
        Value::Uint(value) => format!("{value}u"),
        Value::Double(value) => format!("{value:?}"),
        Value::Text(text) => format!("{:?}", text.as_str()),
        Value::List(list) => {
            format!("[{}]", list.iter().map(|item| show(&item)).collect::<Vec<_>>().join(","))
        }
        Value::Map(map) => {
            let entry = |key: Value<'_>| {
                let value = map.get(&Key::of(&key).expect("a key")).expect("a value");
                format!("{}:{}", show(&key), show(&value))
            };
            let mut entries: Vec<_> = map.keys().into_iter().map(entry).collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
        Value::Cidr(range) => range.to_string(),
    }
}

/// What the crate's own evaluator says.
fn theirs(text: &str) -> Option<String> {
    let program = cel::Program::compile(text).ok()?;
    let mut context = cel::Context::default();
    context.add_variable_from_value("a", true);
    context.add_variable_from_value("b", false);
    context.add_variable_from_value("n", 3_i64);
    context.add_variable_from_value("s", "use1");
    context.add_variable_from_value("l", vec![1_i64, 2, 3]);
    let map = cel::Program::compile("{'k': 1, 'x': 'y'}").expect("a map").execute(&context);
    context.add_variable_from_value("m", map.expect("a map"));
    program.execute(&context).ok().map(|value| show_theirs(&value))
}

fn show_theirs(value: &Theirs) -> String {
    match value {
        Theirs::Null => "null".to_owned(),
        Theirs::Bool(value) => format!("{value}"),
        Theirs::Int(value) => format!("{value}"),
        Theirs::UInt(value) => format!("{value}u"),
        Theirs::Float(value) => format!("{value:?}"),
        Theirs::String(text) => format!("{text:?}"),
        Theirs::List(list) => {
            format!("[{}]", list.iter().map(show_theirs).collect::<Vec<_>>().join(","))
        }
        Theirs::Map(map) => {
            let key = |key: &TheirKey| show_theirs(&Theirs::from(key.clone()));
            let entry = |(k, v): (&TheirKey, &Theirs)| format!("{}:{}", key(k), show_theirs(v));
            let mut entries: Vec<_> = map.map.iter().map(entry).collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
        other => format!("{other:?}"),
    }
}

fn atom() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "a",
            "b",
            "n",
            "s",
            "l",
            "m",
            "m.k",
            "m.x",
            "m.none",
            "l[0]",
            "l[7]",
            "m['k']",
            "null",
            "has(m.k)",
            "has(m.none)",
            "[]",
            "{}",
            "{'k': 1}",
            "[1, 'b']",
            "9223372036854775807",
            "1u",
            "0.5",
            "''",
            "x",
        ])
        .prop_map(str::to_owned),
        (0_i64..4).prop_map(|number| number.to_string()),
        "[a-c]{0,2}".prop_map(|text| format!("'{text}'")),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec![
        "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in",
    ]);
    let call = prop::sample::select(vec![
        "size",
        "contains",
        "startsWith",
        "endsWith",
        "matches",
        "int",
        "double",
        "string",
    ]);
    let fold = prop::sample::select(vec!["all", "exists", "exists_one", "map", "filter"]);
    atom().prop_recursive(4, 24, 3, move |inner| {
        prop_oneof![
            (inner.clone(), operator.clone(), inner.clone())
                .prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            (inner.clone(), fold.clone(), inner.clone())
                .prop_map(|(a, fold, b)| format!("({a}).{fold}(x, {b})")),
            (call.clone(), inner.clone(), inner.clone()).prop_map(|(call, a, b)| match call {
                "size" | "int" | "double" | "string" => format!("{call}({a})"),
                call => format!("({a}).{call}({b})"),
            }),
        ]
    })
}

/// Where the two may differ: the crate converts some values that the specification does not, and
/// the other way round, and our texts of numbers with a fraction are Rust's.
fn comparable(text: &str) -> bool {
    !text.contains("string(") && !text.contains("double(") && !text.contains("int(")
}

#[test]
fn many_random_expressions_have_a_value() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let value = |_| {
        let tree = expression().new_tree(&mut runner).expect("an expression");
        ours(&tree.current())
    };
    let values = (0..1_000).filter_map(value).count();
    assert!(values > 80, "only {values} of 1,000 expressions have a value to be compared");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn both_evaluators_agree(text in expression()) {
        // Names that are not there are found before anything is evaluated.
        if comparable(&text) && Program::compile(&text, &names()).is_ok() {
            prop_assert_eq!(ours(&text), theirs(&text), "{}", text);
        }
    }

    #[test]
    fn no_expression_panics(text in expression(), cut in 0_usize..80, noise in "\\PC{0,20}") {
        let cut = text.char_indices().nth(cut).map_or(text.len(), |(at, _)| at);
        let (before, after) = text.split_at(cut);
        let broken = format!("{before}{noise}{after}");
        for text in [&text, &noise, &broken] {
            if let Err(flaw) = Program::compile(text, &names()) {
                prop_assert!(text.get(flaw.at.clone()).is_some(), "{:?} of {}", flaw, text);
            }
            ours(text);
            if let Err(flaw) = Template::compile(text, &names()) {
                prop_assert!(text.get(flaw.at.clone()).is_some(), "{:?} of {}", flaw, text);
            }
        }
    }
}
